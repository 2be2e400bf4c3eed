"""Existing classifiers that were proposed for a project's committee; a person confirms which of them get a seat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa

from backend.pool.database.bulk import together, upsert
from backend.pool.database.engine import now_ms, read, write
from backend.pool.database.student_tables import classifiers as table


@dataclass(frozen=True, slots=True)
class ClassifierRow:
    """One classifier. `map` leads from its labels to those of the label space `space_hash`; `trial` is what was
    measured on people's labels, None if nothing was."""

    place: str
    space_hash: str
    map: Mapping[str, str | None]
    confirmed: bool
    proposed_by: str
    reason: str
    trial: Mapping[str, Any] | None = None


def propose(engine: sa.Engine, project: int, rows: Sequence[ClassifierRow]) -> None:
    """Replace what is proposed. What was confirmed for the same labels stays as it is."""
    here = table.c.project == project
    with write(engine) as connection:
        together(connection, project)
        connection.execute(sa.delete(table).where(here, ~table.c.confirmed))
        stale = table.c.space_hash != rows[0].space_hash if rows else sa.false()
        connection.execute(sa.delete(table).where(here, stale))
        kept = set(connection.scalars(sa.select(table.c.place).where(here)))
        fresh = [{**asdict(row), "project": project, "created_ms": now_ms()} for row in rows if row.place not in kept]
        upsert(connection, table, fresh)


def save(engine: sa.Engine, project: int, row: ClassifierRow) -> None:
    """Add or replace one."""
    with write(engine) as connection:
        together(connection, project)
        upsert(connection, table, [{**asdict(row), "project": project, "created_ms": now_ms()}], keep=["created_ms"])


def of_project(engine: sa.Engine, project: int, space_hash: str) -> list[ClassifierRow]:
    """All whose map leads to these labels, confirmed ones first."""
    fields = [table.c[name] for name in ClassifierRow.__dataclass_fields__]
    query = sa.select(*fields).where(table.c.project == project, table.c.space_hash == space_hash)
    with read(engine) as connection:
        return [ClassifierRow(*row) for row in connection.execute(query.order_by(~table.c.confirmed, table.c.place))]


def outdated(engine: sa.Engine, project: int, space_hash: str) -> list[str]:
    """The places of those that had a seat while the project had other labels."""
    query = sa.select(table.c.place).where(
        table.c.project == project, table.c.space_hash != space_hash, table.c.confirmed
    )
    with read(engine) as connection:
        return list(connection.scalars(query.order_by(table.c.place)))


def remove(engine: sa.Engine, project: int, place: str) -> bool:
    """Forget one; whether it was there."""
    with write(engine) as connection:
        together(connection, project)
        found = connection.execute(sa.delete(table).where(table.c.project == project, table.c.place == place))
        return bool(found.rowcount)
