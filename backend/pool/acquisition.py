"""What makes a task worth a decision, by student version; and which tasks come next, for the teacher and for people."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import sqlalchemy as sa

from backend.pool.database.bulk import among, by_task, chunks, delete, upsert
from backend.pool.database.engine import now_ms, read, write
from backend.pool.database.student_tables import acquisition, queues
from backend.pool.database.student_tables import propensities as propensity_table

Name: TypeAlias = Literal["teacher", "people"]


@dataclass(frozen=True)
class Queue:
    """Tasks in the order in which they should be decided, as `version` chose them; of `done` Label Studio knows."""

    version: str
    tasks: tuple[int, ...]
    done: int


def save(engine: sa.Engine, project: int, version: str, scores: Mapping[int, float]) -> None:
    """Store a version's scores by task, each in [0, 1]; a newer one replaces."""
    rows = [
        {"project": project, "version": version, "task": task, "score": float(scores[task])} for task in sorted(scores)
    ]
    with write(engine) as connection:
        upsert(connection, acquisition, rows)


def scores(engine: sa.Engine, project: int, version: str, ids: Collection[int]) -> dict[int, float]:
    """The stored scores of those of the tasks that have one."""
    here = (acquisition.c.project == project, acquisition.c.version == version)
    with read(engine) as connection:
        return by_task(connection, acquisition.c.score, ids, *here)


def clear(engine: sa.Engine, project: int, version: str, ids: Collection[int]) -> None:
    """Forget a version's scores of some tasks."""
    here = (acquisition.c.project == project, acquisition.c.version == version)
    with write(engine) as connection:
        for chunk in chunks(sorted(ids)):
            delete(connection, acquisition, *here, among(connection, acquisition.c.task, chunk))


def drop(engine: sa.Engine, project: int, version: str) -> None:
    """Forget a version's scores."""
    here = (acquisition.c.project == project, acquisition.c.version == version)
    with write(engine) as connection:
        delete(connection, acquisition, *here)


def line_up(engine: sa.Engine, project: int, name: Name, version: str, tasks: Sequence[int]) -> None:
    """Replace a queue."""
    row = {"project": project, "queue": name, "version": version, "tasks": list(tasks), "done": 0}
    with write(engine) as connection:
        upsert(connection, queues, [{**row, "created_ms": now_ms()}])


def line(engine: sa.Engine, project: int, name: Name) -> Queue | None:
    """A queue, None if there is none."""
    query = sa.select(queues.c.version, queues.c.tasks, queues.c.done)
    with read(engine) as connection:
        row = connection.execute(query.where(queues.c.project == project, queues.c.queue == name)).one_or_none()
    return None if row is None else Queue(row.version, tuple(row.tasks), row.done)


def mark_done(engine: sa.Engine, project: int, name: Name, version: str, done: int) -> None:
    """Label Studio knows of the first `done` tasks of the queue that `version` made."""
    here = (queues.c.project == project, queues.c.queue == name, queues.c.version == version)
    with write(engine) as connection:
        connection.execute(sa.update(queues).where(*here).values(done=done))


def ask_people(engine: sa.Engine, project: int, version: str, chances: Mapping[int, float]) -> None:
    """Note with which chance each task was drawn for people to decide (0: its score chose it); the last time counts."""
    row = {"project": project, "version": version, "created_ms": now_ms()}
    rows = [{**row, "task": task, "propensity": float(chances[task])} for task in sorted(chances)]
    with write(engine) as connection:
        upsert(connection, propensity_table, rows)


def propensities(engine: sa.Engine, project: int, decided: Collection[int]) -> dict[int, float]:
    """How people came to those of the tasks that they were asked about.

    The draw of a version counts as a draw once all of it is decided: until then Label Studio's order has chosen which
    part of it people saw, and its tasks count as chosen (0).
    """
    table, done = propensity_table.c, set(decided)
    with read(engine) as connection:
        query = sa.select(table.task, table.version, table.propensity).where(table.project == project)
        rows = list(connection.execute(query))
    partial = {row.version for row in rows if row.propensity > 0 and row.task not in done}
    return {row.task: 0.0 if row.version in partial else row.propensity for row in rows if row.task in done}
