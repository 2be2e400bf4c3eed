"""A pool of 405 messages in which the audit of a promise has begun, and people who decide what it asks for."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from backend.jobs import annotate, publish, sync, train
from backend.pool import promises, tasks
from tests.support.world import World, messages

ROWS = messages(27)
GOLD = dict(enumerate((label for _, label in ROWS), start=1))
TARGET = 0.1
MOST_LOOKS = 8  # rounds of decisions after which an audit should have ended


def fill(world: World, texts: Sequence[str]) -> list[int]:
    """New tasks, also in the pool; their ids."""
    ids = world.double.add_tasks(list(texts))
    tasks.add(world.engine, 7, dict(zip(ids, texts, strict=True)))
    return ids


def decide(world: World, asked: Collection[int]) -> None:
    """Somebody gives these tasks the right label."""
    for task in asked:
        world.double.annotate(task, [GOLD[task]])
    sync.work(world.job("sync"))


def begin_audit(world: World, **fields: object) -> None:
    """Twenty labels, the first student, and the audit; `fields` are settings of the project in Label Studio."""
    fill(world, [text for text, _ in ROWS])
    world.double.fields |= {"sampling": "Uncertainty sampling", **fields}
    annotate.work(world.job("annotate"))
    decide(world, range(1, 21))
    train.work(world.job("train"))
    publish.work(world.job("publish"))


def decide_all_that_is_asked(world: World) -> None:
    """Until a look was good enough."""
    for _ in range(MOST_LOOKS):
        decide(world, promises.asked_for(world.engine, 7))
        publish.work(world.job("publish"))
