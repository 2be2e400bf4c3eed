"""Missing work is found from the pool alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from backend.jobs import reconcile
from backend.jobs.sync import SYNC_MS
from backend.pool import annotations, candidates, jobs, ledger, projects, publishing, rest, tasks, versions
from backend.pool.annotations import Annotation
from backend.pool.database.engine import now_ms
from backend.pool.text import text_hash
from backend.projects.current import current_of
from backend.projects.updates import remember
from backend.services import Services
from model.labels import CandidateSet
from model.teacher.base import Answer, State
from tests.support.label_studio_double import CONFIG
from tests.support.samples import labelled
from tests.support.world import CREATED, World

HOUR = 3_600_000


@pytest.fixture(autouse=True)
def here(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The project was synchronised a moment ago and lacks nothing."""
    monkeypatch.setattr(reconcile, "job_services", lambda: world.services)
    jobs.begin(world.engine, 7, "sync")
    jobs.finish(world.engine, 7, "sync", "")
    jobs.begin(world.engine, 7, "annotate")
    jobs.finish(world.engine, 7, "annotate", "")
    projects.set_published(world.engine, 7, world.current.teacher_version)


def missing(world: World, later_ms: int = 0) -> list[str]:
    clock = world.services.clock
    services = Services(world.services.settings, world.engine, world.services.queue, lambda: clock() + later_ms)
    return reconcile.missing(current_of(services, world.project))


def test_a_project_in_order_needs_nothing(world: World) -> None:
    assert missing(world) == []


@pytest.mark.parametrize("kind", ["sync", "annotate", "train", "publish"])
def test_a_job_that_redis_forgot_is_queued_again(world: World, kind: str) -> None:
    world.services.queue.enqueue(kind, 7)
    world.services.queue.connection.flushall()
    assert missing(world) == [kind]
    reconcile.run()
    assert world.services.queue.place(kind, 7) == "waiting"
    assert world.told() == ""  # what was asked for a moment ago may be on its way
    reconcile.run()
    assert sum(world.services.queue.waiting().values()) == 1
    world.services.queue.connection.flushall()
    world.services = replace(world.services, clock=lambda: now_ms() + reconcile.MOMENT_MS)
    reconcile.run()
    assert world.told() == reconcile.LOST


def test_a_run_that_says_nothing_is_lost_after_a_while(world: World) -> None:
    jobs.begin(world.engine, 7, "train")
    assert missing(world) == []
    assert missing(world, reconcile.LOST_MS + 1000) == ["train"]


def test_the_one_more_run_is_not_forgotten(world: World) -> None:
    jobs.begin(world.engine, 7, "train")
    jobs.ask_again(world.engine, 7, "train")
    jobs.finish(world.engine, 7, "train")
    assert missing(world) == ["train"]


def test_tasks_without_candidates_are_found(world: World) -> None:
    tasks.add(world.engine, 7, {1: "where is my parcel"})
    assert missing(world) == ["annotate"]


def test_what_a_dead_process_had_set_aside_is_booked_though_nothing_is_left_to_ask(world: World) -> None:
    ledger.set_cap(world.engine, 7, 1000)
    assert ledger.reserve(world.engine, 7, "v", 300, patience=-1)
    assert ledger.reserve(world.engine, 7, "v", 200)
    reconcile.run()
    totals = ledger.totals(world.engine, 7)
    assert (totals.lost_microusd, totals.unsettled_microusd, totals.counted_microusd) == (300, 200, 500)


def test_what_gave_up_rests_for_a_while(world: World) -> None:
    tasks.add(world.engine, 7, {1: "where is my parcel"})
    jobs.fail(world.engine, 7, "annotate", "no money")
    assert missing(world) == []
    assert "annotate" in missing(world, reconcile.REVIVE_MS + 1000)


def test_enough_labels_or_silence_start_a_training(world: World) -> None:
    row = Annotation(1, 1, 1, ("refund",), "labelled", False, "2026-11-21T06:00:01.000000Z", None, None, None)
    annotations.save(world.engine, 7, [row])
    assert missing(world) == []
    assert missing(world, 121_000) == ["train"]


def test_candidates_and_versions_that_label_studio_lacks(world: World) -> None:
    version, text = world.current.teacher_version, "where is my parcel"
    tasks.add(world.engine, 7, {1: text})
    answer = Answer(State.ANSWERED, CandidateSet(("shipping",)), "")
    candidates.save(world.engine, 7, version, [(1, text_hash(text), answer)])
    assert missing(world) == ["publish"]
    publishing.confirm(world.engine, 7, version, publishing.intend(world.engine, 7, version, [1]))
    assert missing(world) == []
    student = f"student-1-{world.project.space_hash}"
    versions.add(world.engine, 7, student, 1, world.project.space_hash, {}, 1)
    versions.set_state(world.engine, 7, student, "publishing", "")
    assert missing(world) == ["publish"]
    projects.promote(world.engine, 7, student)
    assert missing(world) == ["publish"]
    projects.set_published(world.engine, 7, student)
    assert missing(world) == []
    publishing.give(world.engine, 7, version, [1], world.services.clock() + 1)  # of a version that is served no more
    assert missing(world, 1000) == ["publish"]


def test_a_comparison_with_label_studio_comes_every_few_minutes(world: World) -> None:
    assert missing(world, SYNC_MS + 1000) == ["sync"]
    world.set_options(LABEL_STUDIO_API_KEY=SecretStr(""))
    assert missing(world, SYNC_MS + 1000) == []


def test_a_clock_that_was_set_back_stops_nothing(world: World) -> None:
    assert missing(world, -HOUR) == ["sync"]


def test_a_project_without_a_usable_label_config_is_only_compared(world: World) -> None:
    projects.save_config(world.engine, 7, "", "tickets", "<View/>", None, "no control tag", {})
    assert missing(world) == []
    assert missing(world, SYNC_MS + 1000) == ["sync"]


def test_one_bad_project_does_not_stop_the_others(world: World) -> None:
    space = world.project.space
    projects.save_config(world.engine, 3, "1", "bad", "<View/>", space, "", {"TEACHER": "nobody"})
    tasks.add(world.engine, 7, {1: "where is my parcel"})
    reconcile.run()
    assert world.services.queue.place("annotate", 7) == "waiting"


def looked_at(world: World, later_ms: int = 0) -> bool:
    return 7 in rest.restless(world.engine, world.services.clock() + later_ms)


def test_a_project_that_lacks_nothing_is_left_alone(world: World) -> None:
    assert looked_at(world)
    reconcile.run()
    assert not looked_at(world)
    assert looked_at(world, SYNC_MS)


def test_silence_ends_the_rest(world: World) -> None:
    options = {"RETRAIN_AFTER": 20, "RETRAIN_IDLE_SECONDS": 60}
    remember(world.services, 7, CREATED, CONFIG, extra_params=options)
    annotations.save(world.engine, 7, [labelled(1, 1, "refund")])
    for kind in jobs.get(world.engine, 7):
        jobs.finish(world.engine, 7, kind)
        world.services.queue.cancel(kind, 7)
    projects.set_published(world.engine, 7, world.current.teacher_version)
    reconcile.run()
    assert not looked_at(world)
    assert looked_at(world, 60_000)


def test_a_project_whose_prompt_is_in_a_file_is_always_looked_at(world: World, tmp_path: Path) -> None:
    file = tmp_path / "prompt.txt"
    file.write_text("$labels $text", "utf-8")
    world.services = replace(
        world.services, settings=world.services.settings.model_copy(update={"PROMPT_FILE": str(file)})
    )
    assert reconcile._next_moment(world.current, {}) <= now_ms()
