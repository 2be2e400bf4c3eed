"""`annotate` and `train` ask for a job; with --wait they follow it."""

import json
from collections.abc import Callable
from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from backend.commands import common
from backend.errors import ProjectError, ShortlistError
from backend.pool import candidates, jobs, projects, teachers
from backend.projects.current import current_of
from backend.queue.job_queue import JobQueue
from backend.services import Services
from backend.settings import Settings
from model.teacher.base import Usage
from tests.backend.commands.projects.conftest import Run
from tests.support.samples import answered

Meanwhile = Callable[[Callable[[], None]], None]


@pytest.mark.parametrize("kind", ["annotate", "train"])
def test_a_job_is_queued_once(run: Run, pool: sa.Engine, kind: str) -> None:
    first = run(kind, "7")
    assert first.exit_code == 0, first.output
    assert f"Project 7 (tickets): {kind} is queued" in first.stdout
    assert "No worker is running: the job waits until `shortlist worker` is started" in first.output
    assert f"{kind} waits already" in run(kind, "7").stdout
    assert jobs.get(pool, 7)[kind].state == "queued"


def test_again_forgets_what_was_taken_over_and_keeps_what_was_asked(run: Run, pool: sa.Engine) -> None:
    project = projects.get(pool, 7)
    assert project is not None
    version = current_of(Services(Settings(_env_file=None), pool, JobQueue("", pool)), project).teacher_version
    asked, taken = answered("billing", usage=Usage(1, 50, 0, 8, 90)), answered("refund")
    candidates.save(pool, 7, version, [(1, "h", asked), (2, "h", taken)])
    assert run("annotate", "7").exit_code == 0
    assert set(candidates.read(pool, 7, version)) == {1, 2}
    assert run("annotate", "7", "--again").exit_code == 0
    assert set(candidates.read(pool, 7, version)) == {1}
    assert teachers.of_project(pool, 7)[version].anew


def test_programs_get_json(run: Run) -> None:
    content = json.loads(run("train", "7", "--json").stdout)
    assert content == {"project": 7, "kind": "train", "outcome": "queued", "state": "queued"}


def test_an_unknown_project_asks_for_nothing(run: Run) -> None:
    assert isinstance(run("train", "9").exception, ProjectError)


@pytest.fixture
def meanwhile(pool: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    """What a worker writes between two looks of the command: it begins, and then it does what is given."""

    def prepare(act: Callable[[], None]) -> None:
        def begin() -> None:
            jobs.begin(pool, 7, "train")
            jobs.step(pool, 7, "train", "learning", 0.5)

        acts = iter([begin, act])
        monkeypatch.setattr(common, "time", SimpleNamespace(sleep=lambda _: next(acts)()))

    return prepare


def test_waiting_shows_the_steps_and_the_result(run: Run, pool: sa.Engine, meanwhile: Meanwhile) -> None:
    meanwhile(lambda: jobs.finish(pool, 7, "train", "student-5 is better"))
    result = run("train", "7", "--wait")
    assert "Project 7 (tickets): train finished. student-5 is better" in result.stdout
    assert " 50% learning" in result.stderr


def test_waiting_tells_why_a_job_failed(run: Run, pool: sa.Engine, meanwhile: Meanwhile) -> None:
    meanwhile(lambda: jobs.fail(pool, 7, "train", "only one label was decided"))
    result = run("train", "7", "--wait")
    assert isinstance(result.exception, ShortlistError)
    assert str(result.exception) == "train of project 7 failed: only one label was decided"
