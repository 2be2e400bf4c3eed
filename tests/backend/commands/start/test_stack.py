"""The all-in-one command as people run it: a process of its own, real parts, signals."""

from __future__ import annotations

import json
import os
import signal
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from backend.commands.start.credentials import load_or_draw
from backend.commands.start.redis import find_server
from backend.label_studio.client import LabelStudio
from tests.support import preloaded
from tests.support.ports import free_port
from tests.support.started import ROOT, Started


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Started]]:
    running: list[Started] = []

    def begin(*arguments: str, **environment: str) -> Started:
        running.append(Started(tmp_path, *arguments, **environment))
        return running[-1]

    yield begin
    for started in running:
        if started.process.poll() is None:
            started.process.send_signal(signal.SIGTERM)
            started.process.wait()


def test_it_runs_until_a_signal_and_leaves_no_process_behind(start: Callable[..., Started]) -> None:
    started = start()
    said = started.until("Ctrl-C stops everything")
    assert f"Shortlist     http://127.0.0.1:{started.port}" in said
    with urllib.request.urlopen(f"http://127.0.0.1:{started.port}/health") as answer:
        assert json.load(answer)["status"] == "UP"
    assert len(started.children()) >= 4  # Redis, gunicorn's two, worker
    assert started.stop(signal.SIGHUP) == 0
    assert started.said.rstrip().endswith(f"everything is kept in {started.data}")


def test_a_second_instance_on_the_same_folder_is_refused(start: Callable[..., Started], shared: Started) -> None:
    second = start(DATA_DIR=str(shared.data), PORT=str(shared.port))  # as a second `make run` does
    assert second.process.wait() == 1
    assert second.said == (
        f"shortlist: another instance (process {shared.process.pid}) already runs on DATA_DIR {shared.data}; "
        "stop it or choose another DATA_DIR\n"
    )


def test_a_taken_port_is_one_line(start: Callable[..., Started], shared: Started) -> None:
    second = start("--port", str(shared.port))
    assert second.process.wait() == 1
    assert second.said.count("\n") == 1
    assert f"port {shared.port} (web server) is taken" in second.said
    assert not second.data.exists()


def test_other_commands_find_it_by_its_folder(shared: Started) -> None:
    environment = {**os.environ, "DATA_DIR": str(shared.data), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "backend", "doctor", "--json"]
    result = preloaded.run(command, environment, shared.folder)
    found = {row["check"]: row for row in json.loads(result.stdout)}
    assert found["Redis"]["health"] == "ok"
    assert found["Workers"]["health"] == "ok"
    assert found["This backend"]["health"] == "ok"


def test_a_killed_part_comes_back(shared: Started) -> None:
    shared.part(find_server()).kill()
    shared.until("Redis: started again")
    shared.part("worker").kill()
    shared.until("Worker: started again")
    shared.part("gunicorn").kill()
    said = shared.until("Web server: started again")
    assert "Redis stopped; starting it again in 1 s (1 of 5) (exit code -9, log " in said


def test_a_stop_during_the_start_is_a_stop(start: Callable[..., Started]) -> None:
    started = start()
    started.until("Redis: ready")
    assert started.stop(signal.SIGTERM) == 0
    assert "Traceback" not in started.said


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"SAMPLE": "/no/such.csv"}, "/no/such.csv does not exist"),
        ({"PORT": "8080", "LABEL_STUDIO_PORT": "8080"}, "PORT and LABEL_STUDIO_PORT are both 8080"),
        ({"LABELS": "a,b"}, "LABELS goes with SAMPLE=<file>"),
        ({"LABEL_STUDIO_VENV": "nowhere"}, "Label Studio is not installed in nowhere"),
    ],
)
def test_what_cannot_work_is_said_in_one_line(
    start: Callable[..., Started], settings: dict[str, str], message: str
) -> None:
    started = start("--with-label-studio", **{"LABEL_STUDIO_PORT": str(free_port()), **settings})
    assert started.process.wait() == 1
    assert "Traceback" not in started.said
    assert f"shortlist: {message}" in started.said


@pytest.mark.e2e
def test_the_first_run_ends_with_a_pre_annotated_project_and_the_second_finds_it(shared: Started) -> None:
    said = shared.said
    assert "Sample: 4 texts from column 'message' (the only one with texts) of tickets.csv" in said
    assert "line 4 skipped: no text in column 'message'" in said
    assert "Pre-annotated: 4 texts have a shortlist" in said
    assert "offline similarity teacher (no LLM)" in said
    before = shared.port
    with label_studio(shared) as client:
        held = [row["id"] for row in client.projects()]
        project = next(row for row in client.projects() if row["title"] == "tickets (sample)")
        assert project["total_predictions_number"] == 4
        assert client.connections(project["id"])[0]["title"] == project["model_version"]
    assert len(shared.children()) >= 5
    assert shared.stop(signal.SIGTERM) == 0

    shared.start()
    said = shared.until("Ctrl-C stops everything")
    assert "Imported" not in said
    assert f"Shortlist moved from http://127.0.0.1:{before} to http://127.0.0.1:{shared.port}" in said
    with label_studio(shared) as client:
        assert [row["id"] for row in client.projects()] == held
        assert client.project(project["id"])["total_predictions_number"] == 4
        assert [row["url"] for row in client.connections(project["id"])] == [f"http://127.0.0.1:{shared.port}"]
        hooks = [row["url"] for row in client.webhooks(project["id"])]
        assert hooks == [f"http://127.0.0.1:{shared.port}/webhook"]


def label_studio(started: Started) -> LabelStudio:
    """A client of its Label Studio, with the key that was drawn for it."""
    return LabelStudio(started.label_studio, load_or_draw(started.data / "label-studio").token)
