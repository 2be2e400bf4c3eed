"""The record of what Label Studio holds: an intent before rows are sent, a confirmation after."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from backend.pool.database.bulk import among, delete, in_order, insert, upsert
from backend.pool.database.engine import read, write
from backend.pool.database.student_tables import predictions, published
from backend.pool.database.tables import candidate_sets
from backend.pool.database.tables import tasks as task_table
from backend.pool.standing import present

CHUNK = 500  # ids per statement
LONGEST_MS = 86_400_000  # no answer takes Label Studio longer to store: a later time is of a clock that was set back
_OPEN = published.c.confirmed == sa.false()  # as the index of open rows says it


def intend(engine: sa.Engine, project: int, version: str, tasks: Collection[int]) -> set[int]:
    """Write down that predictions of `version` are about to be sent for these tasks, and return which.

    Left out are those on record already: `/predict` may have given them away while they were being prepared.
    """
    if not tasks:
        return set()
    row = {"project": project, "version": version, "confirmed": False}
    with write(engine) as connection:
        statement = insert(connection, published).on_conflict_do_nothing().returning(published.c.task)
        return set(connection.scalars(statement, [{**row, "task": task} for task in sorted(set(tasks))]))


def give(engine: sa.Engine, project: int, version: str, tasks: Collection[int], until_ms: int) -> None:
    """Label Studio was answered with predictions of `version` for these tasks and stores them by itself.

    After `until_ms` (UTC milliseconds) it is asked whether it did, also where a row is on record already: the two may
    have crossed.
    """
    row = {"project": project, "version": version, "confirmed": False, "open_until_ms": until_ms, "outdated": False}
    with write(engine) as connection:
        upsert(connection, published, [{**row, "task": task} for task in sorted(set(tasks))])


def confirm(engine: sa.Engine, project: int, version: str, tasks: Collection[int]) -> None:
    """Label Studio took what was sent; a row that `/predict` gave away meanwhile stays open."""
    with write(engine) as connection:
        for chunk in _chunks(tasks):
            mine = in_order(connection, published, _sent(project, version, chunk))
            connection.execute(sa.update(published).where(mine).values(confirmed=True))


def withdraw(engine: sa.Engine, project: int, version: str, tasks: Collection[int]) -> None:
    """Label Studio did not take what was sent: it will be sent again. What `/predict` gave away stays open."""
    with write(engine) as connection:
        for chunk in _chunks(tasks):
            delete(connection, published, _sent(project, version, chunk))


def unconfirmed(engine: sa.Engine, project: int, now_ms: int) -> dict[str, set[int]]:
    """Tasks by version whose rows Label Studio perhaps holds: a crash came in between, or `/predict` gave them away.

    Those that Label Studio may still be storing at `now_ms` (UTC milliseconds) are left out.
    """
    query = sa.select(published.c.version, published.c.task)
    query = query.where(published.c.project == project, _OPEN, _over(now_ms))
    found: dict[str, set[int]] = {}
    with read(engine) as connection:
        for version, task in connection.execute(query):
            found.setdefault(version, set()).add(task)
    return found


def settle(
    engine: sa.Engine, project: int, version: str, held: Collection[int], lost: Collection[int], now_ms: int
) -> None:
    """What asking Label Studio showed: these it holds, and those it does not. What was given away since stays open."""
    closed = _of(project, version) & _over(now_ms)
    with write(engine) as connection:
        mine: set[int] = set()
        for chunk in _chunks([*held, *lost]):  # first all of them, in one order
            query = sa.select(published.c.task).where(closed, among(connection, published.c.task, chunk))
            mine.update(connection.scalars(query.order_by(published.c.task).with_for_update()))
        for chunk in _chunks(mine.intersection(held)):
            statement = sa.update(published).where(_of(project, version), among(connection, published.c.task, chunk))
            connection.execute(statement.values(confirmed=True, open_until_ms=0))
        for chunk in _chunks(mine.intersection(lost)):
            connection.execute(
                sa.delete(published).where(_of(project, version), among(connection, published.c.task, chunk))
            )


def outdated(engine: sa.Engine, project: int) -> dict[int, set[str]]:
    """Versions by task of which Label Studio holds a row about a text that the task had before."""
    query = sa.select(published.c.task, published.c.version)
    query = query.where(published.c.project == project, published.c.outdated == sa.true())
    found: dict[int, set[str]] = {}
    with read(engine) as connection:
        for task, version in connection.execute(query):
            found.setdefault(task, set()).add(version)
    return found


def take_back(engine: sa.Engine, project: int, task: int, versions: Collection[str]) -> None:
    """Label Studio holds the outdated rows of a task no more: what the versions say of the new text can be sent."""
    here = (published.c.project == project, published.c.task == task, published.c.version.in_(versions))
    with write(engine) as connection:
        delete(connection, published, *here, published.c.outdated == sa.true())


def unsent_candidates(engine: sa.Engine, project: int, version: str) -> list[int]:
    """Tasks with a candidate set of `version`, for the text they have now, that Label Studio was not sent yet."""
    sent = sa.exists().where(_of(project, version), published.c.task == candidate_sets.c.task)
    query = sa.select(candidate_sets.c.task)
    query = query.where(candidate_sets.c.project == project, candidate_sets.c.version == version)
    query = query.where(candidate_sets.c.state == "answered", present(candidate_sets))
    with read(engine) as connection:
        return list(connection.scalars(query.where(~sent).order_by(candidate_sets.c.task)))


def unanswered(
    engine: sa.Engine,
    project: int,
    version: str,
    after: int = -1,
    limit: int | None = None,
    end: int | None = None,
) -> list[int]:
    """Tasks whose present text a student version has not been applied to, ascending: the first `limit` of those with
    ids beyond `after`, up to `end`."""
    applied = sa.select(sa.literal(1)).where(
        predictions.c.project == project,
        predictions.c.version == version,
        predictions.c.task == task_table.c.task,
        predictions.c.text_hash == task_table.c.text_hash,
    )
    lacking = applied.scalar_subquery().is_(None)  # by its key, row by row: see `predictions.waiting`
    query = sa.select(task_table.c.task).where(task_table.c.project == project, task_table.c.task > after, lacking)
    query = query if end is None else query.where(task_table.c.task <= end)
    with read(engine) as connection:
        return list(connection.scalars(query.order_by(task_table.c.task).limit(limit)))


def _sent(project: int, version: str, tasks: list[int]) -> sa.ColumnElement[bool]:
    """Rows that a publish sent, and that `/predict` did not give away as well."""
    return sa.and_(_of(project, version), published.c.task.in_(tasks), published.c.open_until_ms == 0)


def _over(now_ms: int) -> sa.ColumnElement[bool]:
    """Rows that Label Studio cannot be storing any more."""
    return (published.c.open_until_ms <= now_ms) | (published.c.open_until_ms > now_ms + LONGEST_MS)


def _of(project: int, version: str) -> sa.ColumnElement[bool]:
    return sa.and_(published.c.project == project, published.c.version == version)


def _chunks(tasks: Collection[int]) -> list[list[int]]:
    ids = sorted(set(tasks))
    return [ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK)]
