"""How a job ends: finished, failed with a sentence, or tried again."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from backend.errors import LabelStudioRefused, LabelStudioUnavailable
from backend.jobs import run
from backend.jobs.run import run_job
from backend.pool import jobs
from backend.pool.jobs import JobRow
from backend.projects.job import Job
from model.errors import TrainingError
from model.teacher.errors import TeacherUnavailable
from tests.support.world import World


@pytest.fixture(autouse=True)
def here(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs of this process use this world's services."""
    monkeypatch.setattr(run, "job_services", lambda: world.services)


def row(world: World) -> JobRow:
    return jobs.get(world.engine, 7)["train"]


def test_a_job_says_what_it_does_and_what_it_achieved(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.projects.job.STEP_SECONDS", 3600)
    seen: list[JobRow] = []

    def work(job: Job) -> str:
        job.step("half of it", 0.5)
        job.step("too soon to be written", 0.6)
        seen.append(row(world))
        return "all of it"

    run_job("train", 7, work)
    assert (seen[0].state, seen[0].step, seen[0].progress) == ("running", "half of it", 0.5)
    assert (row(world).state, row(world).step, row(world).error) == ("idle", "all of it", None)


@pytest.mark.parametrize(
    "error",
    [LabelStudioUnavailable("Label Studio is down"), TeacherUnavailable("overloaded"), OSError(28, "No space left"),
     sa.exc.OperationalError("SELECT", {}, Exception("database is locked"))],
)  # fmt: skip
def test_what_may_pass_is_raised_for_another_try(world: World, error: Exception) -> None:
    def work(_: Job) -> str:
        raise error

    with pytest.raises(type(error)):
        run_job("train", 7, work)
    assert row(world).state == "failed"
    assert str(row(world).error).endswith("It is tried again by itself.")
    assert "SELECT" not in str(row(world).error)


@pytest.mark.parametrize("error", [LabelStudioRefused("the token is wrong"), TrainingError("loss is not finite")])
def test_what_will_not_pass_ends_the_job_with_its_sentence(world: World, error: Exception) -> None:
    def work(_: Job) -> str:
        raise error

    run_job("train", 7, work)
    assert (row(world).state, row(world).error) == ("failed", str(error))


def test_the_unexpected_shows_an_error_id_and_no_internals(world: World) -> None:
    def work(_: Job) -> str:
        raise KeyError("password")

    run_job("train", 7, work)
    assert row(world).state == "failed"
    assert str(row(world).error).startswith("Unexpected KeyError; the log tells more under error id ")
    assert "password" not in str(row(world).error)


def test_a_job_of_an_unknown_project_leaves_no_trace(world: World) -> None:
    run_job("train", 99, lambda job: "never")
    assert jobs.get(world.engine, 99) == {}


class Record:
    """What RQ keeps about a job."""

    def __init__(self) -> None:
        self.meta: dict[str, int] = {}

    def save_meta(self) -> None:
        """Kept in memory here."""


def test_a_job_that_is_killed_again_and_again_is_given_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    record, runs = Record(), []
    monkeypatch.setattr(run, "get_current_job", lambda: record)

    def killed(_: Job) -> str:
        runs.append(1)
        raise KeyboardInterrupt

    for _ in range(run.DEATHS):
        with pytest.raises(KeyboardInterrupt):
            run_job("train", 7, killed)
    run_job("train", 7, killed)
    assert len(runs) == run.DEATHS
    assert (row(world).state, str(row(world).error)[:37]) == ("failed", "The job was killed 5 times in a row, ")


def test_a_second_run_is_left_to_the_process_that_is_at_it(world: World) -> None:
    """Whoever asked for it while the first one ran gets a run after it, and the two kinds of training take turns."""
    ran: list[str] = []

    def work(job: Job) -> str:
        run_job("train", 7, lambda _: ran.append("train") or "never")
        assert not row(world).again
        for kind in ("train", "adapt"):
            jobs.queued(world.engine, 7, kind)  # as asking does where Redis has forgotten the run
            run_job(kind, 7, lambda _: ran.append("again") or "never")
        run_job("publish", 7, lambda _: ran.append("publish") or "done")
        return "done"

    run_job("train", 7, work)
    assert ran == ["publish"]
    rows = jobs.get(world.engine, 7)
    assert {kind: (found.state, found.again) for kind, found in rows.items() if kind != "annotate"} == {
        "train": ("idle", True),
        "adapt": ("queued", True),
        "publish": ("idle", False),
    }
    assert 0 < rows["adapt"].due_ms - world.services.clock() <= run.TURN_SECONDS * 1000


def test_a_second_run_that_comes_as_the_first_ends_asks_for_another_only_if_that_began_before_it_was_asked_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = Record()
    monkeypatch.setattr(run, "get_current_job", lambda: record)

    def work(job: Job) -> str:
        jobs.finish(world.engine, 7, "train", "done")  # a moment before its turn is free again
        asked = {}
        for runs in (0, 1):
            record.meta[run.RUNS] = runs
            run_job("train", 7, lambda _: "never")
            asked[runs] = row(world).again
        assert asked == {0: False, 1: True}
        return "done"

    run_job("train", 7, work)
    assert row(world).runs == 1
