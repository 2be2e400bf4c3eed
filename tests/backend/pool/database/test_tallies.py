"""What the database counts by itself is what is there, whoever wrote it and however it ended."""

from __future__ import annotations

import random
import threading

import pytest
import sqlalchemy as sa

from backend.pool import tallies
from backend.pool.database import tallies as counting
from backend.pool.database.bulk import upsert
from backend.pool.database.engine import open_engine, write
from backend.pool.database.tables import annotations, candidate_sets, tasks
from tests.support.counted import expect_right, summed

VERSIONS = ("teacher-a", "teacher-b")
STATES = ("answered", "abstained", "refused")


def task_row(project: int, task: int, text: str = "text") -> dict[str, object]:
    return {"project": project, "task": task, "text": text, "text_hash": text, "created_ms": 1}


def answer_row(project: int, task: int, version: str, state: str, size: int) -> dict[str, object]:
    row = {"project": project, "task": task, "version": version, "text_hash": "h", "state": state, "size": size}
    return row | {"labels": [], "confidences": [], "created_ms": 1}


def a_write(draw: random.Random, connection: sa.Connection) -> None:
    """Rows come, change or go, in the ways in which the pool's writers do it."""
    project, chosen = draw.choice((1, 2)), sorted(draw.sample(range(12), draw.randint(1, 6)))
    version, state, table = draw.choice(VERSIONS), draw.choice(STATES), draw.choice((tasks, candidate_sets))
    here = (table.c.project == project, table.c.task.in_(chosen))
    way = draw.randrange(4)
    if way == 0:
        upsert(connection, tasks, [task_row(project, task, draw.choice("ab")) for task in chosen], keep=["created_ms"])
    elif way == 1:
        answers = [answer_row(project, task, version, state, draw.randrange(4)) for task in chosen]
        upsert(connection, candidate_sets, answers, keep=candidate_sets.c.keys() if draw.random() < 0.2 else ())
    elif way == 2:
        connection.execute(sa.delete(table).where(*here))
    else:
        of_these = (candidate_sets.c.project == project, candidate_sets.c.task.in_(chosen))
        connection.execute(sa.update(candidate_sets).where(*of_these).values(state=state, size=draw.randrange(4)))


@pytest.mark.parametrize("seed", range(3))
def test_every_write_is_counted_and_none_that_was_taken_back(engine: sa.Engine, seed: int) -> None:
    draw = random.Random(seed)
    for _ in range(60):
        try:
            with write(engine) as connection:
                a_write(draw, connection)
                if draw.random() < 0.25:
                    raise KeyboardInterrupt
        except KeyboardInterrupt:
            continue
    expect_right(engine)


def test_writers_at_once_are_all_counted(engine: sa.Engine) -> None:
    def writes(number: int) -> None:
        own = open_engine(engine.url.render_as_string(hide_password=False))
        for step in range(15):
            with write(own) as connection:
                upsert(connection, tasks, [task_row(1, 100 * number + step)])
                row = answer_row(1, 100 * number + step, VERSIONS[number % 2], "answered", 2)
                upsert(connection, candidate_sets, [row])
        own.dispose()

    threads = [threading.Thread(target=writes, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = tallies.of_project(engine, 1)
    assert found.number("tasks") == 90
    assert [found.number("candidate_sets", version, "answered") for version in VERSIONS] == [45, 45]
    assert found.size("candidate_sets", "teacher-a", "answered") == 90
    expect_right(engine)


def test_the_stamp_changes_with_every_row_and_only_then(engine: sa.Engine) -> None:
    def stamp() -> tuple[int, ...]:
        return tallies.of_project(engine, 1).stamp()

    seen = [stamp()]
    person = {"project": 1, "annotation": 5, "task": 1, "labels": ["a"], "state": "labelled", "updated_at": "x",
              "seen_ms": 1}  # fmt: skip
    for table, row in ((tasks, task_row(1, 1)), (tasks, task_row(1, 1, "edited")), (annotations, person),
                       (annotations, person | {"labels": ["b"]})):  # fmt: skip
        with write(engine) as connection:
            upsert(connection, table, [row])
        seen.append(stamp())
    with write(engine) as connection:
        connection.execute(sa.delete(annotations))
    seen.append(stamp())
    assert len(set(seen)) == len(seen)
    with write(engine) as connection:
        upsert(connection, tasks, [task_row(2, 1)])
        connection.execute(sa.delete(tasks).where(tasks.c.project == 3))
    assert stamp() == seen[-1]
    with write(engine) as connection:
        counting.recount(connection)
    assert stamp() != seen[-1]  # who remembers figures looks again after a migration


def test_what_many_connections_counted_becomes_few_rows(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "MANY", 3)
    for number in range(5):
        own = open_engine(engine.url.render_as_string(hide_password=False))
        with write(own) as connection:
            upsert(connection, tasks, [task_row(1, number)])
            upsert(connection, candidate_sets, [answer_row(1, number, "teacher-a", "answered", 1)])
        own.dispose()
    before, stamp = summed(engine), tallies.of_project(engine, 1).stamp()
    with engine.connect() as busy:  # this one counts at the moment, and keeps its row
        connection = busy.execution_options(write=True) if engine.dialect.name == "postgresql" else None
        if connection is not None:
            connection.execute(sa.insert(tasks), [task_row(1, 99)])
        tallies.tidy(engine, 1)
        assert (summed(engine), tallies.of_project(engine, 1).stamp()) == (before, stamp)
        if connection is not None:
            connection.commit()
    with engine.connect() as connection:
        rows = connection.scalar(sa.select(sa.func.count()).select_from(counting.tallies))
    assert rows <= 4
    expect_right(engine)
