"""A paused project: what is known is served and compared, nothing is trained or asked."""

from __future__ import annotations

import pytest

from backend.errors import ProjectError
from backend.jobs import reconcile, run
from backend.jobs.sync import run as sync
from backend.jobs.train import run as train
from backend.pool import jobs, tasks, versions
from backend.projects import actions, triggers
from backend.reporting.status import project_status
from tests.support.world import World, messages


@pytest.fixture(autouse=True)
def here(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (run, reconcile):
        monkeypatch.setattr(module, "job_services", lambda: world.services)
    actions.pause(world.services, 7)


def test_nothing_is_started_and_the_status_says_so(world: World) -> None:
    ids = world.double.add_tasks([text for text, _ in messages()])
    for task in ids:
        world.double.annotate(task, ["refund"])
    world.set_options(RETRAIN_AFTER=5)
    sync(7)
    reconcile.run()  # as a worker does every few seconds
    assert tasks.count(world.engine, 7) == len(ids)
    assert [world.services.queue.place(kind, 7) for kind in ("train", "annotate")] == ["absent", "absent"]
    status = project_status(world.current)
    assert (status["paused"], status["with_candidates"]) == (True, 0)
    assert status["next_training"].startswith("the project is paused, nothing is trained")
    with pytest.raises(ProjectError, match="is paused: resume it first, with `shortlist resume 7`"):
        triggers.on_start_training(world.services, 7)


def test_a_job_that_was_queued_before_does_nothing(world: World) -> None:
    train(7)
    row = jobs.get(world.engine, 7)["train"]
    assert (row.state, row.step[:52]) == ("idle", "nothing was done, because the project is paused; `sh")
    assert versions.list_versions(world.engine, 7) == []


def test_resuming_asks_for_what_is_missing(world: World) -> None:
    tasks.add(world.engine, 7, {1: "where is my parcel"})
    assert "annotate" not in reconcile.missing(world.current)
    actions.resume(world.services, 7)
    assert world.services.queue.place("sync", 7) == "waiting"
    assert world.services.queue.place("annotate", 7) == "waiting"
    assert "annotate" in reconcile.missing(world.current)


def test_the_setting_pauses_too_and_is_named(world: World) -> None:
    world.set_options(PAUSED=True)
    with pytest.raises(ProjectError, match="paused by the setting PAUSED"):
        actions.resume(world.services, 7)
    assert project_status(world.current)["paused"] is True
