"""Work at providers' batch APIs: what was handed over, under which ids, and what was set aside for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from backend.pool import ledger
from backend.pool.database.bulk import together
from backend.pool.database.engine import now_ms, read, write
from backend.pool.database.work_tables import batches as table

if TYPE_CHECKING:
    from model.teacher.base import Usage

UNFINISHED = ("submitting", "open")


@dataclass(frozen=True)
class BatchRow:
    """One submission. `tasks` is {key: [task, hash of its text]}; `mark` is what the provider would know it by.

    `state` is submitting (until the provider's ids are in `ticket`, a killed process may or may not have submitted it),
    open, done, or lost: it never reached the provider, or nobody can ask it any more.
    """

    batch: int
    project: int
    version: str
    state: str
    tasks: dict[str, tuple[int, str]]
    ticket: dict[str, Any] | None
    reserved_microusd: int
    created_ms: int
    reservation: int | None = None
    mark: str = ""


def begin(
    engine: sa.Engine,
    project: int,
    version: str,
    tasks: Mapping[str, tuple[int, str]],
    reserved_microusd: int,
    reservation: int,
    mark: str,
    provider: str,
) -> int:
    """Written before anything is sent; the row's number. From now on what is set aside for it waits as long as it."""
    row = {
        "project": project,
        "version": version,
        "state": "submitting",
        "tasks": {key: list(value) for key, value in tasks.items()},
        "ticket": {"provider": provider},
        "reserved_microusd": reserved_microusd,
        "reservation": reservation,
        "mark": mark,
        "created_ms": now_ms(),
    }
    with write(engine) as connection:
        ledger.keep_aside(connection, reservation)
        return int(connection.execute(sa.insert(table).returning(table.c.batch), row).scalar_one())


def opened(engine: sa.Engine, batch: int, ticket: Mapping[str, Any]) -> None:
    """The provider has it: its ids are kept before anybody waits for it, and also by a process that lost its turn."""
    with write(engine, late=True) as connection:
        connection.execute(sa.update(table).where(table.c.batch == batch).values(state="open", ticket=dict(ticket)))


def ended(engine: sa.Engine, batch: int, state: str, spent: Usage) -> bool:
    """It is `done`, or `lost` because the provider never had it: booked is what it did cost in place of what was set
    aside, in one transaction, so that a killed process leaves neither.

    False if somebody else ended it before; nothing is booked then.
    """
    with write(engine) as connection:
        row = connection.execute(_figures(batch)).one_or_none()
        if row is None:
            return False
        together(connection, row.project)
        if not _end(connection, batch, state):
            return False
        ledger.book(connection, row.project, row.version, row.reservation, spent, batch=True)
    return True


def abandoned(engine: sa.Engine, batch: int) -> None:
    """Nobody can ask for it any more. What was set aside counts as lost money: the provider may have been paid."""
    with write(engine) as connection:
        row = connection.execute(_figures(batch)).one_or_none()
        if row is None:
            return
        together(connection, row.project)
        if _end(connection, batch, "lost"):
            ledger.expire(connection, row.reservation)


def unfinished(engine: sa.Engine, project: int) -> list[BatchRow]:
    """The project's submissions that are being submitted or waited for, oldest first."""
    query = sa.select(table).where(table.c.project == project, table.c.state.in_(UNFINISHED))
    query = query.order_by(table.c.created_ms, table.c.batch)
    with read(engine) as connection:
        rows = [dict(row) for row in connection.execute(query).mappings()]
    return [BatchRow(**{**row, "tasks": {key: (one[0], one[1]) for key, one in row["tasks"].items()}}) for row in rows]


def away(engine: sa.Engine, project: int, version: str) -> set[int]:
    """The tasks of a version that are with a provider's batch service, or on their way there."""
    return {task for row in unfinished(engine, project) if row.version == version for task, _ in row.tasks.values()}


def all_of(engine: sa.Engine, project: int, version: str) -> list[set[int]]:
    """The tasks of each submission of a version that reached the provider, finished ones too."""
    here = (table.c.project == project, table.c.version == version, table.c.state != "lost")
    query = sa.select(table.c.tasks).where(*here)
    with read(engine) as connection:
        return [{task for task, _ in row.values()} for row in connection.scalars(query)]


def _end(connection: sa.Connection, batch: int, state: str) -> bool:
    open_one = sa.update(table).where(table.c.batch == batch, table.c.state.in_(UNFINISHED))
    return connection.execute(open_one.values(state=state)).rowcount == 1


def _figures(batch: int) -> sa.Select[Any]:
    return sa.select(table.c.project, table.c.version, table.c.reservation).where(table.c.batch == batch)
