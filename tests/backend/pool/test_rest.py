"""A project is left alone until something in it changes, or its time has come."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from backend.pool import annotations, candidates, jobs, projects, tasks
from backend.pool.database.engine import now_ms
from backend.pool.rest import LOOK_MS, remember, restless
from backend.pool.text import text_hash
from backend.projects.updates import remember as connect
from model.labels import CandidateSet
from model.teacher.base import Answer, State
from tests.support.label_studio_double import CONFIG
from tests.support.samples import labelled
from tests.support.world import CREATED, World

LATER = 2**62
ANSWER = Answer(State.ANSWERED, CandidateSet(("refund",)), "raw")


def at_rest(world: World, until: int = LATER) -> int:
    """The moment at which project 7 was seen to lack nothing."""
    for kind in jobs.get(world.engine, 7):
        jobs.finish(world.engine, 7, kind)
    now = now_ms()
    remember(world.engine, {7: (restless(world.engine, now)[7], until)}, now)
    assert restless(world.engine, now) == {}
    return now


def new_option(world: World) -> None:
    connect(world.services, 7, CREATED, CONFIG, extra_params={"MAX_CANDIDATES": 3})


def new_answer(world: World) -> None:
    candidates.save(world.engine, 7, "teacher-1-2", [(1, text_hash("new"), ANSWER)])


CHANGES: dict[str, Callable[[World], object]] = {
    "a task": lambda world: tasks.add(world.engine, 7, {900: "new"}),
    "a text": lambda world: tasks.add(world.engine, 7, {1: "another text"}),
    "a label": lambda world: annotations.save(world.engine, 7, [labelled(1, 1, "refund")]),
    "an answer": new_answer,
    "an option": new_option,
    "a waiting job": lambda world: jobs.queued(world.engine, 7, "train"),
    "a running job": lambda world: jobs.begin(world.engine, 7, "train"),
    "a failed job": lambda world: jobs.fail(world.engine, 7, "train", "why"),
    "a job asked for again": lambda world: jobs.ask_again(world.engine, 7, "annotate"),
    "a title": lambda world: projects.set_published(world.engine, 7, "student-1"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_it_is_looked_at_after_a_change(world: World, what: str) -> None:
    tasks.add(world.engine, 7, {1: "a text"})
    jobs.begin(world.engine, 7, "annotate")
    now = at_rest(world)
    CHANGES[what](world)
    assert [*restless(world.engine, now)] == [7]


def test_another_project_rests_on(world: World) -> None:
    connect(world.services, 8, CREATED, CONFIG)
    for number in (7, 8):
        for kind in jobs.get(world.engine, number):
            jobs.finish(world.engine, number, kind)
    now = now_ms()
    remember(world.engine, {number: (stamp, LATER) for number, stamp in restless(world.engine, now).items()}, now)
    tasks.add(world.engine, 8, {1: "new"})
    assert [*restless(world.engine, now)] == [8]


def test_it_is_looked_at_when_its_time_has_come(world: World) -> None:
    now = at_rest(world)
    looks = now - now % LOOK_MS + LOOK_MS  # of all projects at the same moment, by one job
    assert restless(world.engine, looks - 1) == {}
    assert [*restless(world.engine, looks)] == [7]
    assert [*restless(world.engine, now - 1)] == [7], "a clock was set back"
    now = at_rest(world, until=now + 5_000)
    assert [*restless(world.engine, now + 5_001)] == [7]


def test_what_is_under_way_is_looked_at_every_time(world: World) -> None:
    jobs.begin(world.engine, 7, "train")
    now = now_ms()
    remember(world.engine, {7: (restless(world.engine, now)[7], LATER)}, now)
    assert [*restless(world.engine, now)] == [7]
