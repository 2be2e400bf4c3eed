from __future__ import annotations

import pytest
import sqlalchemy as sa

from backend.pool import jobs
from tests.support.samples import PROJECT


def job(engine: sa.Engine, kind: str = "train") -> jobs.JobRow:
    return jobs.get(engine, PROJECT)[kind]


def test_the_life_of_a_job(engine: sa.Engine) -> None:
    jobs.queued(engine, PROJECT, "train")
    assert (job(engine).state, job(engine).started_ms) == ("queued", None)
    jobs.begin(engine, PROJECT, "train")
    assert job(engine).state == "running"
    assert job(engine).started_ms is not None
    jobs.step(engine, PROJECT, "train", "judging\x00", 0.9)
    assert (job(engine).step, job(engine).progress) == ("judging�", 0.9)
    jobs.finish(engine, PROJECT, "train", "student-1 promoted")
    assert (job(engine).state, job(engine).step, job(engine).progress) == ("idle", "student-1 promoted", None)


def test_a_failure_is_kept_until_the_job_begins_again(engine: sa.Engine) -> None:
    jobs.begin(engine, PROJECT, "train")
    jobs.step(engine, PROJECT, "train", "reading", 0.2)
    jobs.fail(engine, PROJECT, "train", "Label Studio is down")
    assert (job(engine).state, job(engine).error, job(engine).step, job(engine).progress) == (
        "failed", "Label Studio is down", "reading", None,
    )  # fmt: skip
    jobs.begin(engine, PROJECT, "train")
    assert (job(engine).state, job(engine).error, job(engine).step) == ("running", None, "")


def test_once_more(engine: sa.Engine) -> None:
    jobs.begin(engine, PROJECT, "train")
    jobs.ask_again(engine, PROJECT, "train")
    jobs.ask_again(engine, PROJECT, "train")
    assert job(engine).again
    jobs.finish(engine, PROJECT, "train")
    assert job(engine).again
    jobs.queued(engine, PROJECT, "train")
    assert not job(engine).again


def test_what_is_not_there_cannot_be_changed(engine: sa.Engine) -> None:
    jobs.step(engine, PROJECT, "train", "reading", 0.2)
    jobs.ask_again(engine, PROJECT, "train")
    assert jobs.get(engine, PROJECT) == {}
    assert jobs.latest(jobs.get(engine, PROJECT)) is None


@pytest.mark.parametrize(("given", "kept"), [(None, None), (0, 0.0), (-1, 0.0), (7, 1.0)])
def test_progress_stays_in_its_range(engine: sa.Engine, given: float | None, kept: float | None) -> None:
    jobs.begin(engine, PROJECT, "train")
    jobs.step(engine, PROJECT, "train", "x", given)
    assert job(engine).progress == kept


def test_people_hear_first_of_what_runs_then_waits_then_failed(engine: sa.Engine) -> None:
    def latest() -> str:
        row = jobs.latest(jobs.get(engine, PROJECT))
        assert row is not None
        return row.kind

    jobs.finish(engine, PROJECT, "sync")
    assert latest() == "sync"
    jobs.fail(engine, PROJECT, "annotate", "no money")
    jobs.finish(engine, PROJECT, "sync")
    assert latest() == "annotate"
    jobs.queued(engine, PROJECT, "publish")
    assert latest() == "publish"
    jobs.begin(engine, PROJECT, "train")
    jobs.queued(engine, PROJECT, "publish")
    assert latest() == "train"
    jobs.begin(engine, 8, "sync")
    assert latest() == "train"
