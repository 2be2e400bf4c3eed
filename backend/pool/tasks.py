"""Tasks: the texts to label, and which of them nobody has asked the teacher about."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from backend.pool.database import people_tables, promise_tables, student_tables, tables
from backend.pool.database.bulk import among, by_task, chunks, delete, in_order, together, upsert
from backend.pool.database.cursor import search
from backend.pool.database.engine import now_ms, read, write
from backend.pool.database.tables import candidate_sets, tasks
from backend.pool.database.tables import tasks as task_table
from backend.pool.database.tallies import tallies
from backend.pool.text import storable, text_hash

OF_A_TASK = (
    tasks, tables.textless_tasks, tables.queries, candidate_sets, tables.annotations, student_tables.predictions,
    student_tables.published, student_tables.acquisition, student_tables.rulings, student_tables.shortlists,
    student_tables.relevances, student_tables.propensities, promise_tables.chosen, people_tables.doubts,
)  # fmt: skip

here = (tallies.c.project == sa.bindparam("number"), tallies.c.kind == tasks.name)
COUNT = sa.select(sa.func.coalesce(sa.func.sum(tallies.c.number), 0)).where(*here)


def add(engine: sa.Engine, project: int, texts: Mapping[int, str]) -> None:
    """Insert tasks by id, or give known ones their new text: what Label Studio holds about the old one is outdated."""
    now = now_ms()
    rows = [
        {"project": project, "task": task, "text": storable(text), "text_hash": text_hash(text), "created_ms": now}
        for task, text in sorted(texts.items())  # one order for all: two processes cannot wait for each other
    ]
    if rows:
        with write(engine) as connection:
            together(connection, project)
            _forget(connection, tables.textless_tasks, project, list(texts))
            _outdate(connection, project, {row["task"]: str(row["text_hash"]) for row in rows})
            new: sa.ColumnElement[str] = sa.literal_column("excluded.text_hash")
            upsert(connection, tasks, rows, keep=["created_ms"], unless=tasks.c.text_hash == new)


def add_textless(engine: sa.Engine, project: int, ids: Collection[int]) -> None:
    """Tasks in which there is nothing to read: they are counted, and a text that they had before is forgotten with all
    that was answered about it."""
    if ids:
        with write(engine) as connection:
            together(connection, project)
            for table in (tasks, candidate_sets, student_tables.predictions):
                _forget(connection, table, project, ids)
            upsert(connection, tables.textless_tasks, [{"project": project, "task": task} for task in sorted(ids)])


def textless(engine: sa.Engine, project: int) -> set[int]:
    """Ids of the tasks in which there is nothing to read."""
    with read(engine) as connection:
        table = tables.textless_tasks
        return set(connection.scalars(sa.select(table.c.task).where(table.c.project == project)))


def _forget(connection: sa.Connection, table: sa.Table, project: int, ids: Collection[int]) -> None:
    for chunk in chunks(sorted(set(ids))):
        delete(connection, table, table.c.project == project, among(connection, table.c.task, chunk))


def _outdate(connection: sa.Connection, project: int, hashes: Mapping[Any, str]) -> None:
    """Note the rows at Label Studio of tasks whose text becomes another one."""
    sent = student_tables.published
    for chunk in chunks(list(hashes)):
        known = sa.select(tasks.c.task, tasks.c.text_hash).where(
            tasks.c.project == project, among(connection, tasks.c.task, chunk)
        )
        edited = [task for task, before in connection.execute(known) if hashes[task] != before]
        if edited:
            here = in_order(connection, sent, sent.c.project == project, among(connection, sent.c.task, edited))
            connection.execute(sa.update(sent).where(here).values(outdated=True))


def remove(engine: sa.Engine, project: int, ids: Collection[int]) -> None:
    """Forget tasks and everything that is known about them."""
    if not ids:
        return
    with write(engine) as connection:
        together(connection, project)
        for table in OF_A_TASK:
            _forget(connection, table, project, ids)


def texts(engine: sa.Engine, project: int, ids: Collection[int]) -> dict[int, str]:
    """The texts of those of the tasks that are known."""
    with read(engine) as connection:
        return by_task(connection, tasks.c.text, ids, tasks.c.project == project)


def hashes(engine: sa.Engine, project: int, ids: Collection[int]) -> dict[int, str]:
    """The hashes of the present texts of those of the tasks that are known."""
    with read(engine) as connection:
        return by_task(connection, tasks.c.text_hash, ids, tasks.c.project == project)


def count(engine: sa.Engine, project: int) -> int:
    """Number of tasks."""
    with read(engine) as connection:
        return int(connection.execute(COUNT, {"number": project}).scalar_one())


def all_ids(engine: sa.Engine, project: int) -> list[int]:
    """Ids of all tasks, ascending."""
    with read(engine) as connection:
        query = sa.select(tasks.c.task).where(tasks.c.project == project).order_by(tasks.c.task)
        return list(connection.scalars(query).all())


def span(engine: sa.Engine, project: int) -> tuple[int, int]:
    """The least and the largest id; (0, -1) without tasks."""
    query = sa.select(sa.func.min(tasks.c.task), sa.func.max(tasks.c.task)).where(tasks.c.project == project)
    with read(engine) as connection:
        first, last = connection.execute(query).one()
    return (0, -1) if first is None else (int(first), int(last))


def iterate(engine: sa.Engine, project: int, chunk: int = 1000) -> Iterator[list[tuple[int, str]]]:
    """All tasks as lists of (task, text), ascending; no transaction is open between two lists."""
    last: int | None = None
    while True:
        query = sa.select(tasks.c.task, tasks.c.text).where(tasks.c.project == project)
        if last is not None:
            query = query.where(tasks.c.task > last)
        with read(engine) as connection:
            rows = [(task, text) for task, text in connection.execute(query.order_by(tasks.c.task).limit(chunk))]
        if rows:
            last = rows[-1][0]
            yield rows
        if len(rows) < chunk:
            return


def without_candidates(
    engine: sa.Engine, project: int, version: str, limit: int, prefer: Sequence[int] = ()
) -> list[tuple[int, str]]:
    """Up to `limit` tasks (task, text) whose present text the teacher version was not asked about; none: all were.

    Those of `prefer` come first, in its order; then ascending ids, from where the last call found its first one.
    An abstention is an answer.
    """
    if limit <= 0:
        return []
    wanted: dict[int, str] = {}
    query = missing(project, version)
    if prefer:
        with read(engine) as connection:
            for chunk in chunks(list(dict.fromkeys(prefer))):
                wanted.update(
                    (task, text)
                    for task, text in connection.execute(query.where(among(connection, tasks.c.task, chunk)))
                )

    def find(after: int) -> list[tuple[int, str]]:
        rest = query.where(tasks.c.task > after).order_by(tasks.c.task).limit(limit)
        with read(engine) as connection:
            return [(task, text) for task, text in connection.execute(rest)]

    first = [(task, wanted[task]) for task in dict.fromkeys(prefer) if task in wanted][:limit]
    taken = {task for task, _ in first}
    rest = search(engine, ("candidates", project, version), find) if len(first) < limit else []
    return first + [row for row in rest if row[0] not in taken][: limit - len(first)]


def ids_without_candidates(engine: sa.Engine, project: int, version: str) -> list[int]:
    """Ids of all tasks whose present text the teacher version was not asked about, ascending."""
    query = missing(project, version).with_only_columns(tasks.c.task, maintain_column_froms=True)
    with read(engine) as connection:
        return list(connection.scalars(query.order_by(tasks.c.task)))


def missing(project: int, version: str) -> sa.Select[int, str]:
    """The query behind `without_candidates`: an anti-join on an index that holds all it needs."""
    asked = sa.select(sa.literal(1)).where(
        candidate_sets.c.project == project,
        candidate_sets.c.version == version,
        candidate_sets.c.task == tasks.c.task,
        candidate_sets.c.text_hash == tasks.c.text_hash,
    )
    return sa.select(tasks.c.task, tasks.c.text).where(tasks.c.project == project, ~sa.exists(asked))


@dataclass(frozen=True)
class Lengths:
    """Characters per text."""

    mean: float
    longest: int


def text_lengths(engine: sa.Engine, project: int) -> Lengths | None:
    """Of all texts of a project; None where there is none."""
    size = sa.func.length(task_table.c.text)
    query = sa.select(sa.func.avg(size), sa.func.max(size)).where(task_table.c.project == project)
    with read(engine) as connection:
        mean, longest = connection.execute(query).one()
    return None if mean is None else Lengths(float(mean), int(longest))
