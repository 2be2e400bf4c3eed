"""`shortlist doctor`: each fault is found, named, and comes with what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from backend.errors import SettingsError
from backend.pool import jobs, projects, versions
from backend.pool.database.engine import open_engine
from backend.queue.job_queue import JobQueue
from backend.queue.worker import JobWorker
from backend.services import open_services
from backend.settings import load_settings
from tests.backend.commands.conftest import Run, read_json
from tests.support.label_studio_double import LabelStudioDouble
from tests.support.odd_server import Odd, OddServer


@pytest.fixture
def healthy(backend: HTTPServer, double: LabelStudioDouble, run: Run, environment: dict[str, str]) -> Iterator[None]:
    """A connected project, a backend that answers and a registered worker; all clocks in step."""
    double._now = datetime.now(UTC)
    run("connect", "7")
    queue = JobQueue(environment["REDIS_URL"])
    worker = JobWorker(queue)
    worker.register_birth()
    yield
    worker.register_death()
    queue.connection.close()


@pytest.fixture
def llm_server() -> Iterator[HTTPServer]:
    server = HTTPServer(port=0)
    server.start()
    yield server
    server.stop()


def examined(run: Run, *options: str, **settings: str) -> dict[str, tuple[str, str, str]]:
    found = run("doctor", "--json", *options, **settings)
    rows = read_json(found)
    assert found.exit_code == (1 if any(row["health"] == "failure" for row in rows) else 0)
    return {row["check"]: (row["health"], row["what"], row["remedy"]) for row in rows}


@pytest.mark.usefixtures("healthy")
def test_everything_is_well(run: Run) -> None:
    found = examined(run)
    assert {health for health, _, _ in found.values()} == {"ok"}
    assert {"Redis", "Workers", "Database", "Version folder", "Encoder", "Teacher", "This backend", "Label Studio",
            "Project 7: label config", "Project 7: connection", "Project 7: webhook", "Project 7: version",
            "Project 7: student"} == set(found)  # fmt: skip
    assert found["Teacher"][1] == "offline similarity teacher (no LLM)"


@pytest.mark.usefixtures("healthy")
def test_people_get_a_table(run: Run) -> None:
    found = run("doctor", "--thorough")
    assert found.exit_code == 0
    assert "default loads; 384 dimensions" in found.output
    assert "Everything that was checked works" in found.output


def test_nothing_is_there(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    found = examined(
        run,
        REDIS_URL="redis://127.0.0.1:1/0",
        LABEL_STUDIO_URL="http://127.0.0.1:1",
        DATABASE_URL="mysql://nowhere",
        MODEL_DIR=str(tmp_path / "file" / "versions"),
        STUDENT_ENCODER=str(tmp_path / "no-encoder"),
        TEACHER="openai:gpt-tiny",
    )
    assert {health for health, _, _ in found.values()} == {"failure"}
    assert "shortlist start" in found["Redis"][2]
    assert "shortlist worker" in found["Workers"][2]
    assert "DATABASE_URL" in found["Database"][2]
    assert "MODEL_DIR" in found["Version folder"][2]
    assert "STUDENT_ENCODER" in found["Encoder"][2]
    assert found["Teacher"][1:] == (
        "gpt-tiny of openai has no key",
        "Set OPENAI_API_KEY where workers start, or TEACHER=similarity",
    )
    assert "shortlist serve" in found["This backend"][2]
    assert "cannot be reached" in found["Label Studio"][1]


def test_no_data_are_made_by_looking_for_them(run: Run, environment: dict[str, str]) -> None:
    pool = Path(environment["DATA_DIR"], "pool.sqlite")
    pool.unlink()
    assert "holds no data of a Shortlist; set DATA_DIR" in examined(run)["Database"][1]
    assert not pool.exists()


def test_no_key_no_worker_no_project(run: Run) -> None:
    open_services(load_settings()).engine.dispose()
    found = examined(run, LABEL_STUDIO_API_KEY="")
    assert "LABEL_STUDIO_API_KEY is not set" in found["Label Studio"][1]
    assert found["Workers"][1] == "no worker is running: jobs wait for ever"
    assert examined(run)["Projects"][0] == "warning"
    assert "create a new token" in examined(run, LABEL_STUDIO_API_KEY="f" * 40)["Label Studio"][1]


@pytest.mark.usefixtures("healthy")
def test_a_clock_that_differs_is_named(double: LabelStudioDouble, run: Run) -> None:
    double._now -= timedelta(hours=3)
    health, what, remedy = examined(run)["Label Studio"]
    assert (health, what) == ("warning", "its clock is 3 h 0 min behind this machine's")
    assert "NTP" in remedy


@pytest.mark.usefixtures("healthy")
def test_what_an_older_label_studio_lacks_is_told_with_the_release_that_brings_it(
    double: LabelStudioDouble, run: Run
) -> None:
    health, what, _ = examined(run)["Label Studio"]
    assert (health, what) == ("ok", f"{double.url} (release 1.23.2) accepts the key of admin@example.com")
    double.release = "1.13.1"
    health, what, remedy = examined(run)["Label Studio"]
    assert (health, remedy) == ("warning", "Nothing, if you can do without; else upgrade Label Studio")
    assert "It lacks personal access tokens (since 1.17) and the switch for large projects" in what
    double.release = "1.12.0.post1"
    assert examined(run)["Label Studio"][2] == "Upgrade Label Studio to 1.13 at least"


@pytest.mark.usefixtures("healthy")
def test_private_addresses_are_refused(double: LabelStudioDouble, run: Run) -> None:
    double.blocked = True
    health, _, remedy = examined(run)["Project 7: webhook"]
    assert (health, remedy) == ("failure", "Start Label Studio with ML_BLOCK_LOCAL_IP=0 and SSRF_PROTECTION_ENABLED=0")
    (connection,) = double.connections.values()
    connection |= {"state": "ER", "error_message": "URL resolves to a reserved network address (block: 127.0.0.0/8)"}
    assert examined(run)["Project 7: connection"][2] == remedy


@pytest.mark.usefixtures("healthy")
def test_the_webhook_is_missing_or_refused(double: LabelStudioDouble, run: Run) -> None:
    (hook,) = double.webhooks.values()
    assert (
        "does not carry the login" in examined(run, BASIC_AUTH_USER="me", BASIC_AUTH_PASS="x")["Project 7: webhook"][1]
    )
    hook["is_active"] = False
    assert "switched off" in examined(run)["Project 7: webhook"][1]
    double.webhooks.clear()
    health, what, remedy = examined(run)["Project 7: webhook"]
    assert (health, remedy) == ("failure", "Connect it again: `shortlist connect 7`")
    assert "there is none" in what


@pytest.mark.usefixtures("healthy")
def test_the_connection_is_missing_doubled_broken_or_second(double: LabelStudioDouble, run: Run) -> None:
    check = "Project 7: connection"
    number, connection = next(iter(double.connections.items()))
    double.connections[900] = {**connection, "id": 900}
    assert "2 connections lead here" in examined(run)[check][1]
    del double.connections[900]
    connection |= {"state": "ER", "readable_state": "Error", "error_message": "422 Choices need values"}
    assert examined(run)[check][1] == "state Error: 422 Choices need values"
    connection["state"] = "CO"
    double.connections = {0: {"id": 0, "url": "http://elsewhere:1", "title": "other"}, number: connection}
    assert "'other' is connected before" in examined(run)[check][1]
    double.connections.clear()
    assert "no ML backend of the project leads to" in examined(run)[check][1]


@pytest.mark.usefixtures("healthy")
def test_the_project_shows_something_else(double: LabelStudioDouble, run: Run) -> None:
    check = "Project 7: version"
    double.fields["model_version"] = "last year"
    assert examined(run)[check][0] == "warning"
    (connection,) = double.connections.values()
    connection["title"] = "teacher-1-abcdef"
    assert "the connection is called teacher-1-abcdef" in examined(run)[check][1]
    double.fields["show_collab_predictions"] = False
    assert examined(run)[check][:2] == ("failure", "the project hides predictions")


@pytest.mark.usefixtures("healthy")
def test_a_project_with_a_teacher_that_cannot_be_asked(run: Run) -> None:
    said = run("connect", "7", "--option", "TEACHER=openai:of-ours", OPENAI_API_KEY="a-key")
    assert "The teacher cannot be asked: no price is known for openai:of-ours" in " ".join(said.output.split())
    health, what, remedy = examined(run, OPENAI_API_KEY="a-key")["Project 7: teacher"]
    assert (health, "no price is known" in what) == ("failure", True)
    assert remedy.startswith("Set TEACHER_PRICE=input,output")
    assert examined(run)["Project 7: teacher"][1] == "of-ours of openai has no key"
    fine = examined(run, OPENAI_BASE_URL="http://127.0.0.1:9/v1", TEACHER_PRICE="0,0")["Project 7: teacher"]
    assert fine[:2] == ("ok", "LLM teacher openai:of-ours, at most $5.00 per project")
    run("connect", "7", "--option", "TEACHER=anthropic:claude-sonnet-4-5")
    old = examined(run, ANTHROPIC_API_KEY="a-key", TEACHER_PRICE="3,15")["Project 7: teacher"]
    assert old[:2] == ("warning", "Anthropic ends claude-sonnet-4-5 on November 30th, 2026")


@pytest.mark.usefixtures("healthy")
def test_label_config_student_and_jobs(double: LabelStudioDouble, run: Run, environment: dict[str, str]) -> None:
    engine = open_engine(f"sqlite:///{environment['DATA_DIR']}/pool.sqlite")
    project = projects.get(engine, 7)
    assert project is not None
    version = f"student-1-{project.space_hash}"
    versions.add(engine, 7, version, 1, project.space_hash, {}, 1)
    projects.promote(engine, 7, version)
    jobs.begin(engine, 7, "train")
    jobs.fail(engine, 7, "train", "the disk is full")
    double.fields["label_config"] = "<View/>"
    found = examined(run)
    engine.dispose()
    assert found["Project 7: student"][0] == "failure"
    assert found["Project 7: train job"][1:] == ("the disk is full", "Repair the cause, then `shortlist train 7`")
    assert found["Project 7: label config"][0] == "failure"


@pytest.mark.usefixtures("healthy")
def test_a_project_that_is_gone_at_label_studio(double: LabelStudioDouble, run: Run) -> None:
    double.number = 8
    assert examined(run)["Project 7"][0] == "warning"


def test_the_backend_is_something_else_or_open_or_locked(backend: HTTPServer, run: Run) -> None:
    check = "This backend"
    assert examined(run)[check][0] == "ok"
    backend.clear()
    backend.expect_request("/health").respond_with_json({"status": "UP"})
    backend.expect_request("/").respond_with_data("", status=401)
    assert "does not accept BASIC_AUTH_USER" in examined(run)[check][1]
    backend.clear()
    backend.expect_request("/health").respond_with_data("nothing", status=404)
    assert "something else runs there" in examined(run)[check][1]


@pytest.mark.usefixtures("healthy")
def test_an_llm_is_asked_one_question_where_somebody_wants_it(run: Run, llm_server: HTTPServer) -> None:
    odd = OddServer(llm_server, lambda text: '{"candidates": ["shipping"]}')
    own = {"TEACHER": "openai:m", "OPENAI_BASE_URL": odd.base_url, "TEACHER_PRICE": "1,2"}
    assert "Question to openai:m" not in examined(run, **own)
    assert odd.requests == []
    health, what, _ = examined(run, "--ask", **own)["Question to openai:m"]
    assert (health, len(odd.requests)) == ("ok", 1)
    assert re.fullmatch(r"shipping in \d+\.\d s for \$0\.000\d+", what)
    odd.odd = Odd(thoughts="maybe refund", unknown=("response_format",), usage=None)
    health, what, _ = examined(run, "--ask", **own)["Question to openai:m"]
    assert health == "warning"
    assert all(words in what for words in ("shipping in", "it thinks", "no schema", "counts no tokens"))
    odd.odd = Odd(body="<html><title>Sign in</title></html>")
    health, what, _ = examined(run, "--ask", **own)["Question to openai:m"]
    assert (health, "Sign in" in what) == ("failure", True)


@pytest.mark.parametrize("key", ["“sk-abcdefgh”", '"sk-abcdefgh"', "sk-abc\u200bdef"])
def test_a_key_that_no_header_can_hold_is_named_before_anything_is_asked(run: Run, key: str) -> None:
    for setting in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "LABEL_STUDIO_API_KEY"):
        for command in (("doctor",), ("connect", "7")):
            with pytest.raises(SettingsError, match=f"setting {setting}: ") as caught:
                run(*command, **{setting: key})
            assert "abc" not in str(caught.value)
