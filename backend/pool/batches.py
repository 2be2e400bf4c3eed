"""Work at providers' batch APIs: what was handed over, under which ids, and what was set aside for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from backend.pool.engine import now_ms, read, write
from backend.pool.tables import batches as table

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
    """Written before anything is sent; the row's number."""
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
        return int(connection.execute(sa.insert(table).returning(table.c.batch), row).scalar_one())


def opened(engine: sa.Engine, batch: int, ticket: Mapping[str, Any], reserved_microusd: int) -> None:
    """The provider has it: its ids are kept before anybody waits for it."""
    _update(engine, batch, state="open", ticket=dict(ticket), reserved_microusd=reserved_microusd)


def close(engine: sa.Engine, batch: int, state: str) -> None:
    """It is `done` or `lost`."""
    _update(engine, batch, state=state)


def unfinished(engine: sa.Engine, project: int) -> list[BatchRow]:
    """The project's submissions that are being submitted or waited for, oldest first."""
    query = sa.select(table).where(table.c.project == project, table.c.state.in_(UNFINISHED)).order_by(table.c.batch)
    with read(engine) as connection:
        rows = [dict(row) for row in connection.execute(query).mappings()]
    return [BatchRow(**{**row, "tasks": {key: (one[0], one[1]) for key, one in row["tasks"].items()}}) for row in rows]


def all_of(engine: sa.Engine, project: int, version: str) -> list[set[int]]:
    """The tasks of each submission of a version that reached the provider, finished ones too."""
    here = (table.c.project == project, table.c.version == version, table.c.state != "lost")
    query = sa.select(table.c.tasks).where(*here)
    with read(engine) as connection:
        return [{task for task, _ in row.values()} for row in connection.scalars(query)]


def _update(engine: sa.Engine, batch: int, **values: Any) -> None:
    with write(engine) as connection:
        connection.execute(sa.update(table).where(table.c.batch == batch).values(values))
