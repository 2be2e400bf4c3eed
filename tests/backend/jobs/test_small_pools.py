"""Pools that are too small for an audit, or whose audit came to nothing: they end, at worst once people saw all."""

from __future__ import annotations

import pytest

from backend.jobs import annotate, finish, publish, sync, train
from backend.pool import certified, promises
from backend.pool.promises import Promise
from backend.projects.finishing import ask_to_finish
from backend.reporting.certificate import checks
from backend.reporting.promise import promise_status
from tests.support.audits import TARGET, fill
from tests.support.world import World, messages

TEXTS = messages(4)
GOLD = dict(enumerate((label for _, label in TEXTS), start=1))  # 60 tasks, of which 6 may be wrong


@pytest.fixture
def small(world: World) -> World:
    """A student is served, and the pool is too small for an audit."""
    world.set_options(TARGET_ERROR=TARGET)
    fill(world, [text for text, _ in TEXTS])
    annotate.work(world.job("annotate"))
    decide(world, range(1, 21))
    train.work(world.job("train"))
    publish.work(world.job("publish"))
    return world


def decide(world: World, asked: range) -> None:
    for task in asked:
        world.double.annotate(task, [GOLD[task]])
    sync.work(world.job("sync"))


def promise_of(world: World) -> Promise:
    found = promises.get(world.engine, 7)
    assert found is not None
    return found


def test_the_last_few_tasks_of_a_pool_without_a_promise_keep_the_students_label(small: World) -> None:
    assert promise_of(small).state == "given up"
    decide(small, range(21, 54))
    assert not promises.nearly_decided(small.engine, 7), "seven are left, of which seven may be wrong"
    publish.work(small.job("publish"))
    told = promise_status(small.current)
    assert told is not None
    assert "until 6 tasks are left" in told["sentence"]
    decide(small, range(54, 55))
    assert promises.nearly_decided(small.engine, 7)
    publish.work(small.job("publish"))

    made = promise_of(small)
    assert made.state == "promised"
    assert made.certificate is not None
    assert set(certified.rows(small.engine, 7, "accepted")) == set(range(55, 61))
    assert [name for name, said, again in checks(small.current, made.certificate) if said != again] == []
    ask_to_finish(small.current, "annotations")
    assert finish.work(small.job("finish")).startswith("6 tasks have the student's label")
    assert all(len(small.double.tasks[task]["annotations"]) == 1 for task in GOLD)


def test_a_pool_that_people_saw_all_of_is_finished(small: World) -> None:
    decide(small, range(21, 61))
    publish.work(small.job("publish"))
    made = promise_of(small)
    assert made.certificate is not None
    assert (made.state, made.certificate["accepted"]) == ("promised", 0)
    ask_to_finish(small.current, "annotations")
    assert finish.work(small.job("finish")).startswith("0 tasks")
    assert promise_of(small).state == "finished"
