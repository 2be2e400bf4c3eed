"""The record of what Label Studio holds: an intent before rows are sent, a confirmation after."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from backend.pool.bulk import insert
from backend.pool.engine import write
from backend.pool.tables import candidate_sets, predictions, published
from backend.pool.tables import tasks as task_table

CHUNK = 500  # ids per statement


def intend(engine: sa.Engine, project: int, version: str, tasks: Collection[int]) -> set[int]:
    """Write down that predictions of `version` are about to be sent for these tasks, and return which.

    Left out are those on record already: `/predict` may have given them away while they were being prepared.
    """
    if not tasks:
        return set()
    with write(engine) as connection:
        known: set[int] = set()
        for chunk in _chunks(tasks):
            query = sa.select(published.c.task).where(_of(project, version), published.c.task.in_(chunk))
            known.update(connection.scalars(query))
        mine = set(tasks) - known
        rows = [{"project": project, "version": version, "task": task, "confirmed": False} for task in sorted(mine)]
        if rows:
            connection.execute(sa.insert(published), rows)
    return mine


def give(engine: sa.Engine, project: int, version: str, tasks: Collection[int], until_ms: int) -> None:
    """Label Studio was answered with predictions of `version` for these tasks and stores them by itself.

    Not before `until_ms` (UTC milliseconds) it is asked whether it did. What is on record already stays as it is.
    """
    row = {"project": project, "version": version, "confirmed": False, "open_until_ms": until_ms}
    rows = [{**row, "task": task} for task in sorted(set(tasks))]
    if not rows:
        return
    with write(engine) as connection:
        connection.execute(insert(connection, published).on_conflict_do_nothing(), rows)


def confirm(engine: sa.Engine, project: int, version: str, tasks: Collection[int]) -> None:
    """Label Studio holds `version` for these tasks; only intended ones are touched."""
    with write(engine) as connection:
        for chunk in _chunks(tasks):
            here = _of(project, version) & published.c.task.in_(chunk)
            connection.execute(sa.update(published).where(here).values(confirmed=True))


def withdraw(engine: sa.Engine, project: int, version: str, tasks: Collection[int]) -> None:
    """Label Studio does not hold `version` for these tasks: they will be sent again."""
    with write(engine) as connection:
        _forget(connection, project, version, tasks)


def unconfirmed(engine: sa.Engine, project: int, version: str, now: int | None = None) -> set[int]:
    """Tasks whose rows were perhaps sent: a crash or a lost answer came between intent and confirmation.

    With `now` (UTC milliseconds) those that Label Studio may still be storing are left out.
    """
    query = sa.select(published.c.task).where(_of(project, version), published.c.confirmed.is_(False))
    if now is not None:
        query = query.where(published.c.open_until_ms <= now)
    with engine.begin() as connection:
        return set(connection.scalars(query))


def unsent_candidates(engine: sa.Engine, project: int, version: str) -> list[int]:
    """Tasks with a candidate set of `version`, for the text they have now, that Label Studio was not sent yet."""
    same_task = (task_table.c.project == candidate_sets.c.project) & (task_table.c.task == candidate_sets.c.task)
    sent = sa.exists().where(_of(project, version), published.c.task == candidate_sets.c.task)
    query = sa.select(candidate_sets.c.task).join(task_table, same_task)
    query = query.where(candidate_sets.c.project == project, candidate_sets.c.version == version)
    query = query.where(candidate_sets.c.state == "answered", candidate_sets.c.text_hash == task_table.c.text_hash)
    with engine.begin() as connection:
        return list(connection.scalars(query.where(~sent).order_by(candidate_sets.c.task)))


def unanswered(engine: sa.Engine, project: int, version: str) -> list[int]:
    """Tasks whose present text a student version has not been applied to."""
    applied = sa.exists().where(
        predictions.c.project == project,
        predictions.c.version == version,
        predictions.c.task == task_table.c.task,
        predictions.c.text_hash == task_table.c.text_hash,
    )
    query = sa.select(task_table.c.task).where(task_table.c.project == project, ~applied)
    with engine.begin() as connection:
        return list(connection.scalars(query.order_by(task_table.c.task)))


def _forget(connection: sa.Connection, project: int, version: str, tasks: Collection[int]) -> None:
    for chunk in _chunks(tasks):
        connection.execute(sa.delete(published).where(_of(project, version), published.c.task.in_(chunk)))


def _of(project: int, version: str) -> sa.ColumnElement[bool]:
    return sa.and_(published.c.project == project, published.c.version == version)


def _chunks(tasks: Collection[int]) -> list[list[int]]:
    ids = sorted(set(tasks))
    return [ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK)]
