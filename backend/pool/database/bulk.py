"""Many rows at once, alike on both databases: chunked id lists and upserts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

T = TypeVar("T")
IDS = 5_000  # ids per IN list: PostgreSQL stops at 65,535 parameters
ROWS = 10_000  # rows per statement that is executed many times


def chunks(values: Iterable[T], size: int = IDS) -> Iterator[list[T]]:
    """The values in lists of at most `size`, in order."""
    everything = values if isinstance(values, list) else list(values)
    for start in range(0, len(everything), size):
        yield everything[start : start + size]


def upsert(
    connection: sa.Connection,
    table: sa.Table,
    rows: Sequence[Mapping[str, Any]],
    keep: Sequence[str] = (),
    unless: sa.ColumnElement[bool] | None = None,
) -> None:
    """Insert rows; where the primary key is there already, its other columns become the new ones.

    All rows have the same columns, and no two the same key. `keep` names columns that an existing row keeps. Where
    `unless` holds for an existing row, it is left alone.
    """
    if not rows:
        return
    statement, new = _insert_or_update(connection.dialect.name, table, tuple(rows[0]), tuple(keep))
    if unless is not None and new:
        keys = [column.name for column in table.primary_key]
        values = {name: statement.excluded[name] for name in new}
        statement = insert(connection, table).on_conflict_do_update(
            index_elements=keys, set_=values, where=sa.not_(unless)
        )
    for chunk in chunks(list(rows), ROWS):
        connection.execute(statement, chunk)


@lru_cache(maxsize=256)
def _insert_or_update(
    dialect: str, table: sa.Table, columns: tuple[str, ...], keep: tuple[str, ...]
) -> tuple[sqlite.Insert | postgresql.Insert, list[str]]:
    """The statement, made once, because that takes as long as one row's execution; and the columns that it renews."""
    keys = [column.name for column in table.primary_key]
    statement = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    new = [name for name in columns if name not in keys and name not in keep]
    if not new:
        return statement.on_conflict_do_nothing(index_elements=keys), new
    values = {name: statement.excluded[name] for name in new}
    return statement.on_conflict_do_update(index_elements=keys, set_=values), new


def insert(connection: sa.Connection, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT of this database, which knows `on_conflict_do_update` and `on_conflict_do_nothing`."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def delete(connection: sa.Connection, table: sa.Table, *where: sa.ColumnElement[bool]) -> int:
    """Delete rows in the order of their key, in which all bulk writes come; their number."""
    return connection.execute(sa.delete(table).where(in_order(connection, table, *where))).rowcount


def in_order(connection: sa.Connection, table: sa.Table, *where: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """The condition for a DELETE or UPDATE that locks its rows in the order of their key, and only those that are there
    when it begins. PostgreSQL locks them as it comes across them, so that two writers could wait for each other."""
    if connection.dialect.name != "postgresql":
        return sa.and_(*where)
    key = list(table.primary_key)
    rows = sa.select(*key).where(*where).order_by(*key).with_for_update(of=table).cte("locked")
    return sa.tuple_(*key).in_(sa.select(rows))


def together(connection: sa.Connection, what: str | int) -> None:
    """Only one transaction at a time goes on from here for the same project (its id) or thing (a word).

    Whoever touches rows of several tables, or reads what it then writes, comes through here first.
    """
    if connection.dialect.name == "postgresql":  # SQLite has one writer at a time
        key = int.from_bytes(hashlib.sha256(f"together-{what}".encode()).digest()[:8], "big", signed=True)
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))
