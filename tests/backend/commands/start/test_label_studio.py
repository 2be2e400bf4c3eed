"""The embedded Label Studio, the real one: login, data folder, and a sample that is imported exactly once."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from backend.commands.start.credentials import Credentials, load_or_draw
from backend.commands.start.data_dir import prepare
from backend.commands.start.label_studio import embedded_label_studio, find_program
from backend.commands.start.sample.file import read_sample
from backend.commands.start.sample.importing import Imported, import_sample
from backend.commands.start.sample.label_space import label_space, shipped_messages
from backend.commands.start.sample.state import recall
from backend.errors import StartError
from backend.label_studio.client import LabelStudio
from tests.support.started import Started

ROOT = Path(__file__).resolve().parents[4]


def test_a_missing_installation_is_told_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"Label Studio is not installed in .*; run `make install-label-studio`"):
        find_program(tmp_path)


def test_it_gets_its_login_but_none_of_our_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "venv" / "bin" / "label-studio"
    program.parent.mkdir(parents=True)
    program.touch()
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("DATABASE_URL", "postgresql://elsewhere")
    data = prepare(tmp_path / "data")
    server = embedded_label_studio(data, 8099, tmp_path / "venv")
    assert not {"OPENAI_API_KEY", "DATABASE_URL"} & set(server.part.environment)
    assert server.part.environment["LABEL_STUDIO_USER_TOKEN"] == server.credentials.token
    assert server.credentials.password not in " ".join(server.part.command)
    assert server.credentials.token not in " ".join(server.part.command)
    assert server.url == "http://127.0.0.1:8099"
    data.release()


@pytest.fixture
def client(shared: Started) -> Iterator[LabelStudio]:
    with LabelStudio(shared.label_studio, credentials(shared).token) as client:
        yield client


def credentials(started: Started) -> Credentials:
    """What was drawn for its Label Studio."""
    return load_or_draw(started.data / "label-studio")


@pytest.mark.e2e
class TestRealLabelStudio:
    def test_the_drawn_token_opens_it_and_data_lie_in_the_data_folder(
        self, client: LabelStudio, shared: Started
    ) -> None:
        assert client.who_am_i()["email"] == credentials(shared).user
        assert (shared.data / "label-studio" / "label_studio.sqlite3").exists()
        said = (shared.data / "logs" / "label-studio.log").read_text(errors="replace")
        assert "Initializing database" not in said  # the database that was laid out needed no migration

    def test_the_shipped_sample_is_imported_once(self, client: LabelStudio, tmp_path: Path) -> None:
        sample = read_sample(shipped_messages())
        space = label_space(sample)
        seen: list[tuple[int, int]] = []
        first = import_sample(client, sample, space, tmp_path, lambda done, total: seen.append((done, total)))
        assert first is not None
        assert first.added == len(sample.rows)
        assert seen[-1] == (len(sample.rows), len(sample.rows))
        assert import_sample(client, sample, space, tmp_path) == Imported(first.project, first.title, 0)
        tasks = list(client.tasks(first.project))
        assert len(tasks) == len(sample.rows)
        assert {name for task in tasks for name in task["data"]} == {"text", "row"}
        assert (tmp_path / f"project-{first.project}-labels.jsonl.gz").exists()

    def test_deleted_tasks_and_a_deleted_sample_project_stay_deleted(self, client: LabelStudio, tmp_path: Path) -> None:
        sample = read_sample(shipped_messages())
        space = label_space(sample)
        first = import_sample(client, sample, space, tmp_path)
        assert first is not None
        victim = next(iter(client.tasks(first.project)))
        client.http.send("DELETE", f"api/tasks/{victim['id']}/")
        again = import_sample(client, sample, space, tmp_path)
        assert again is not None
        client.http.send("DELETE", f"api/projects/{first.project}/")
        assert import_sample(client, sample, space, tmp_path) is None

    def test_an_interrupted_import_goes_on_where_it_stopped(self, client: LabelStudio, tmp_path: Path) -> None:
        path = tmp_path / "messages.csv"
        path.write_text("message,label\n" + "".join(f"this is message {n},{'ab'[n % 2]}\n" for n in range(1200)))
        sample = read_sample(path)
        space = label_space(sample)

        class Killed(Exception):
            pass

        def stop(done: int, _total: int) -> None:
            if done >= 500:
                raise Killed

        with pytest.raises(Killed):
            import_sample(client, sample, space, tmp_path / "state", stop)
        resumed = import_sample(client, sample, space, tmp_path / "state")
        assert resumed is not None
        assert resumed.added == 700
        assert resumed.title == "messages (sample)"
        rows = sorted(task["data"]["row"] for task in client.tasks(resumed.project))
        assert rows == list(range(2, 1202))
        key = next(path.stem for path in (tmp_path / "state").glob("*.json"))
        state = recall(tmp_path / "state", key)
        assert state is not None
        assert state.complete

    def test_a_deleted_project_of_an_own_file_is_made_again(self, client: LabelStudio, tmp_path: Path) -> None:
        path = tmp_path / "few.jsonl"
        path.write_text('{"text": "one message of mine"}\n{"text": "another one of mine"}\n')
        sample = read_sample(path)
        space = label_space(sample, "good,bad")
        first = import_sample(client, sample, space, tmp_path)
        assert first is not None
        client.http.send("DELETE", f"api/projects/{first.project}/")
        second = import_sample(client, sample, space, tmp_path)
        assert second is not None
        assert second.project != first.project
        assert second.added == 2
        assert list(tmp_path.glob("*labels*")) == []

    def test_labels_by_people_become_annotations_and_every_export_of_them_is_a_sample(
        self, client: LabelStudio, shared: Started, tmp_path: Path
    ) -> None:
        path = tmp_path / "mine.jsonl"
        rows = [{"text": f"message, {n}", "label": label} for n, label in enumerate(["late", ["late", "lost"], "odd"])]
        path.write_text("\n".join(map(json.dumps, [*rows, {"text": "not labelled"}])))
        sample = read_sample(path)
        found = import_sample(client, sample, label_space(sample, "late,lost"), tmp_path / "state", by_people=True)
        assert found is not None
        given = {task["data"]["text"]: task["annotations"] for task in client.tasks(found.project)}
        assert [len(given[f"message, {n}"]) for n in range(3)] == [1, 1, 0]
        task = next(task["id"] for task in client.tasks(found.project) if task["data"]["text"] == "message, 0")
        other = [{"from_name": "label", "to_name": "text", "type": "choices", "value": {"choices": ["lost"]}}]
        client.http.send("POST", f"api/tasks/{task}/annotations/", {"result": other})  # somebody who sees it otherwise
        wanted = {"message, 0": ("late", "lost"), "message, 1": ("late", "lost")}
        for kind, ending in {"JSON": "json", "JSON_MIN": "json", "CSV": "csv", "TSV": "tsv"}.items():
            url = f"{client.url}/api/projects/{found.project}/export"
            key = {"Authorization": f"Token {credentials(shared).token}"}
            exported = tmp_path / f"{kind}.{ending}"
            exported.write_bytes(httpx.get(url, params={"exportType": kind}, headers=key, trust_env=False).content)
            again = read_sample(exported)
            labels = {row.text: tuple(sorted(row.labels)) for row in again.rows if row.labels}
            assert labels == wanted, kind
            assert again.bad == ()

    def test_other_users_of_the_machine_cannot_read_the_folder(self, shared: Started) -> None:
        assert os.stat(shared.data / "label-studio").st_mode & 0o077 == 0
