"""Many rows at once, alike on both databases: chunked id lists and upserts."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

T = TypeVar("T")
IDS = 20_000  # ids per statement: SQLite takes 32,766 parameters
ROWS = 1_000  # rows per statement


def chunks(values: Iterable[T], size: int = IDS) -> Iterator[list[T]]:
    """The values in lists of at most `size`, in order."""
    everything = values if isinstance(values, list) else list(values)
    for start in range(0, len(everything), size):
        yield everything[start : start + size]


def among(connection: sa.Connection, column: sa.Column[T], values: list[T]) -> sa.ColumnElement[bool]:
    """Whether the column is one of the values: for PostgreSQL one array, since a list is parsed one by one."""
    if connection.dialect.name != "postgresql":
        return column.in_(values)
    return column == sa.any_(sa.bindparam(None, values, type_=_array(column)))


def by_task(
    connection: sa.Connection, column: sa.Column[T], ids: Collection[int], *here: sa.ColumnElement[bool]
) -> dict[int, T]:
    """A column of the rows of these tasks, by task; `here` says of which project, and of which version."""
    task, found = column.table.c.task, dict[int, T]()
    for chunk in chunks(list(ids)):
        wanted = sa.select(task, column).where(*here, among(connection, task, chunk))
        found.update((number, value) for number, value in connection.execute(wanted).all())
    return found


def _array(column: sa.Column[Any]) -> postgresql.ARRAY[Any]:
    """Values of a column; a length would cut what is too long, where the column refuses it."""
    return postgresql.ARRAY(sa.Text() if isinstance(column.type, sa.String) else column.type, dimensions=1)


def upsert(
    connection: sa.Connection,
    table: sa.Table,
    rows: Sequence[Mapping[str, Any]],
    keep: Sequence[str] = (),
    unless: sa.ColumnElement[bool] | None = None,
) -> None:
    """Insert rows; where the primary key is there already, its other columns become the new ones.

    All rows have the same columns; of two with the same key the last one counts. `keep` names columns that an existing
    row keeps. Where `unless` holds for an existing row, it is left alone.
    """
    if not rows:
        return
    columns, key = tuple(rows[0]), itemgetter(*_keys(table))
    rows = list({key(row): row for row in rows}.values())
    arrays = connection.dialect.name == "postgresql" and len(rows) > 1
    statement, new = _insert_or_update(connection.dialect.name, table, columns, tuple(keep), arrays)
    if unless is not None and new:
        statement = _insert(connection.dialect.name, table, columns, arrays).on_conflict_do_update(
            index_elements=_keys(table), set_={name: statement.excluded[name] for name in new}, where=sa.not_(unless)
        )
    for chunk in chunks(rows, ROWS):
        together = {f"all_{name}": [row[name] for row in chunk] for name in columns}
        connection.execute(statement, together if arrays else chunk)


@lru_cache(maxsize=256)
def _insert_or_update(
    dialect: str, table: sa.Table, columns: tuple[str, ...], keep: tuple[str, ...], arrays: bool
) -> tuple[sqlite.Insert | postgresql.Insert, list[str]]:
    """The statement, made once, because that takes as long as one row's execution; and the columns that it renews."""
    keys = _keys(table)
    statement = _insert(dialect, table, columns, arrays)
    new = [name for name in columns if name not in keys and name not in keep]
    if not new:
        return statement.on_conflict_do_nothing(index_elements=keys), new
    values = {name: statement.excluded[name] for name in new}
    return statement.on_conflict_do_update(index_elements=keys, set_=values), new


def _insert(dialect: str, table: sa.Table, columns: tuple[str, ...], arrays: bool) -> sqlite.Insert | postgresql.Insert:
    """Rows one by one or, for PostgreSQL, as one array per column: its triggers run once per statement."""
    if dialect != "postgresql":
        return sqlite.insert(table)
    if not arrays:
        return postgresql.insert(table)
    given = (sa.func.unnest(sa.bindparam(f"all_{name}", type_=_array(table.c[name]))) for name in columns)
    return postgresql.insert(table).from_select(columns, sa.select(*given), include_defaults=False)


def _keys(table: sa.Table) -> list[str]:
    return [column.name for column in table.primary_key]


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
