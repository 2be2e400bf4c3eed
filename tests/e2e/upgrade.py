"""A pool that a former release of this program made, taken over by this one at a real Label Studio.

    git archive COMMIT | tar x -C DIR; make -C DIR install
    FORMER=DIR pytest -n 0 tests/e2e/upgrade.py

A teacher on loopback counts its questions: what is known is not asked again. What waits in Redis waits on.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from benchmarks.shared.annotator import Annotator, ticked
from tests.e2e.configs import LABELS, TEXTS, THINGS, config_a, config_b, rows
from tests.e2e.label_studio_server import LabelStudioServer
from tests.e2e.processes import ROOT
from tests.e2e.stack import RETRAIN_AFTER, Stack
from tests.e2e.stories import (
    Json,
    await_shown,
    connect,
    label_stream,
    prediction_of,
    served_student,
    trained_after,
)
from tests.support.llm_server import OpenAIServer

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1_800)]
TASKS, LATER = 70, 76
MODULES = ("backend.web.server", "backend.embedded.web")  # where releases have the web server's command
WEB = """
import importlib, importlib.util, os
for name in {modules}:
    try:
        command = importlib.import_module(name).web_command("127.0.0.1", {port})
    except ModuleNotFoundError:
        continue
    os.execv(command[0], command)
"""
LLM = {"TEACHER": "openai:tiny-1", "OPENAI_API_KEY": "sk-test", "TEACHER_PRICE": "1,1", "BUDGET_USD": "100",
       "BATCH": "off"}  # fmt: skip


class FormerStack(Stack):
    """Run by a checkout of a former release with its own environment, until `upgrade`."""

    def __init__(self, checkout: Path, folder: Path, label_studio: LabelStudioServer, **settings: str) -> None:
        super().__init__(folder, label_studio, PYTHONPATH=str(checkout), **settings)
        self._python: Path | None = checkout / ".venv" / "bin" / "python"

    def start_worker(self) -> None:
        if self._python is None:
            super().start_worker()
        else:
            self._run("worker", [str(self._python), "-m", "backend", "worker"])

    def start_web(self) -> None:
        if self._python is None:
            super().start_web()
        else:
            code = WEB.format(modules=MODULES, port=self._web_port)
            self._run("web", [str(self._python), "-c", code])
            self.await_web()

    def upgrade(self) -> None:
        """This release takes over, at the same addresses: the database, the files, and what waits in Redis."""
        for part in ("web", "worker"):
            self.processes.pop(part).stop()
        self._python, self._environment["PYTHONPATH"] = None, str(ROOT)
        self.start_worker()
        self.start_web()


@dataclass
class Team:
    """A person at Label Studio, a former release beside it, and its teacher."""

    person: Annotator
    stack: FormerStack
    teacher: OpenAIServer

    def asked(self) -> int:
        """How many questions the teacher was asked."""
        return len(self.teacher.requests)


def said(text: str) -> str:
    """The right label, and the one after it; all of a text that says nothing."""
    names = list(LABELS)
    right = [name for name in names for one in TEXTS[name] if text in {one.format(thing) for thing in THINGS}]
    after = names[(names.index(right[0]) + 1) % len(names)] if right else ""
    return json.dumps({"candidates": [*right, after] if right else names})


@pytest.fixture
def team(person: Annotator, label_studio: LabelStudioServer, tmp_path: Path) -> Iterator[Team]:
    """With the release in FORMER."""
    with HTTPServer(port=0) as server:
        teacher = OpenAIServer(server, said)
        stack = FormerStack(Path(os.environ["FORMER"]), tmp_path, label_studio, OPENAI_BASE_URL=teacher.base_url, **LLM)
        try:
            stack.start()
            yield Team(person, stack, teacher)
        finally:
            stack.stop()


@pytest.mark.parametrize("config", [config_a(), config_b()], ids=["several ticks", "one tick"])
def test_an_old_pool_goes_on(team: Team, config: str, record_property: pytest.RecordProperty) -> None:
    person, stack = team.person, team.stack
    project = person.create_project("an old pool", config)
    person.import_tasks(project, rows(TASKS))
    connection = connect(person, stack, project)
    await_shown(person, stack, project, "the teacher", lambda status: status["phase"] == "teacher")
    label_stream(person, project, RETRAIN_AFTER)
    old, before = await_shown(person, stack, project, "the old student", served_student)
    known = team.asked()
    assert known >= TASKS

    stack.upgrade()
    status = stack.await_status(project, "the pool", lambda row: row["human_labels"] == RETRAIN_AFTER)
    assert (status["version"], status["label_space"]) == (old, list(LABELS))
    waiting = [row["id"] for row in before if not row["annotations"]]
    assert same_ticks(before, opened(person, project, waiting), old)
    label_stream(person, project, RETRAIN_AFTER)
    person.start_training(connection["id"])
    new, tasks = await_shown(person, stack, project, "a student of this release", trained_after(old))
    for task in tasks:
        if not task["annotations"]:
            assert len(ticked(prediction_of(task, new))) == 1
    assert team.asked() == known

    person.import_tasks(project, rows(LATER)[TASKS:])
    await_shown(person, stack, project, "the new tasks", lambda row: row["tasks"] == LATER)
    stack.await_status(project, "their teacher", lambda _: team.asked() == known + LATER - TASKS)
    assert team.teacher.problems == []
    checked = stack.command("doctor")
    record_property("doctor", checked.stdout)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def opened(person: Annotator, project: int, tasks: list[int]) -> list[Json]:
    """As a person opens them."""
    return [person.open_task(project, task) for task in tasks]


def same_ticks(before: list[Json], after: list[Json], version: str) -> bool:
    """Whether each task shows what it showed."""
    shown = {row["id"]: row for row in before}
    return all(ticked(prediction_of(row, version)) == ticked(prediction_of(shown[row["id"]], version)) for row in after)
