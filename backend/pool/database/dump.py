"""The whole pool as one compressed file of JSON lines: a backup, and the way from SQLite to PostgreSQL and back."""

from __future__ import annotations

import gzip
import json
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby, islice
from pathlib import Path
from typing import IO, Any

import sqlalchemy as sa

from backend.errors import PoolError
from backend.pool.database.engine import migrate, read, revisions, schema, snapshot, write
from backend.pool.database.former import relink, tables_at
from backend.pool.database.metadata import PASSING
from backend.pool.database.schema import SCHEMA

FORMAT = "shortlist pool"
PAGE = 5_000  # rows per statement
NUMBERED = "0017"  # from this schema on, rows keep their numbers
TABLES = [table for table in SCHEMA.sorted_tables if table.info != PASSING]


def dump(engine: sa.Engine, path: Path) -> dict[str, int]:
    """Write every row to `path` (gzip, JSON lines), as of one moment; the number of rows by table.

    The file appears only when it is complete. The first line names format and schema, each table's rows follow a line
    with its columns, and the last line has the counts. Raises PoolError if the file cannot be written.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with gzip.open(part, "wt", encoding="utf-8", compresslevel=6) as file, snapshot(engine) as connection:
            counts = _write(connection, file)
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.replace(path)
    except OSError as error:
        raise PoolError(f"the backup {path} cannot be written: {error}") from error
    finally:
        part.unlink(missing_ok=True)
    return counts


def load(engine: sa.Engine, path: Path) -> dict[str, int]:
    """Fill an empty pool from a backup of this release's schema or a former one, all or nothing; the number of rows by
    table.

    Raises PoolError if the file is no complete backup, is of a newer release, or the pool is not empty.
    """
    try:
        with gzip.open(path, "rt", encoding="utf-8") as file, write(engine) as connection:
            _expect_empty(connection)
            return _load(connection, (json.loads(line) for line in file))
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError) as error:
        raise PoolError(f"the backup {path} cannot be read: {error}") from error
    except sa.exc.StatementError as error:
        raise PoolError(f"the backup {path} does not fit the pool: {error.orig}") from error


def expect_empty(engine: sa.Engine) -> None:
    """Raise PoolError unless the pool is empty."""
    with read(engine) as connection:
        _expect_empty(connection)


def _write(connection: sa.Connection, file: IO[str]) -> dict[str, int]:
    counts = {}
    _line(file, {"format": FORMAT, "schema": sorted(schema(connection))})
    for table in TABLES:
        _line(file, {"table": table.name, "columns": [column.name for column in table.c]})
        query = sa.select(table).order_by(*table.primary_key)
        counts[table.name] = 0
        for row in connection.execution_options(yield_per=PAGE).execute(query):
            _line(file, list(row))
            counts[table.name] += 1
    _line(file, {"end": counts})
    return counts


def _load(connection: sa.Connection, lines: Iterator[Any]) -> dict[str, int]:
    here, there = schema(connection), _schema(next(lines, None))
    if here == there:
        counts = _fill(connection, SCHEMA.tables, lines)
        _count_on(connection)
        return counts
    if len(there) != 1 or not there < revisions():
        raise ValueError(
            f"it has schema {sorted(there)}, but this release has {sorted(here)}; use the release that wrote it"
        )
    former = tables_at(connection, *there)
    counts = _fill(connection, former.tables, lines)
    migrate(connection)
    if max(there) < NUMBERED:
        relink(connection)
    _count_on(connection)
    return counts


def _count_on(connection: sa.Connection) -> None:
    """PostgreSQL's counters go on after the rows that came with their numbers; SQLite looks at the rows."""
    for table in TABLES if connection.dialect.name == "postgresql" else ():
        counted = table.autoincrement_column
        if counted is not None:
            last = sa.select(sa.func.max(counted)).scalar_subquery()
            counter = sa.func.pg_get_serial_sequence(table.name, counted.name)
            connection.execute(sa.select(sa.func.setval(counter, last)).where(last.is_not(None)))


def _fill(connection: sa.Connection, tables: Mapping[str, sa.Table], lines: Iterator[Any]) -> dict[str, int]:
    counts: dict[str, int] = {}
    table = ""
    columns: list[str] = []
    for line in _batches(lines):
        if isinstance(line, list):
            rows = [dict(zip(columns, row, strict=True)) for row in line]
            connection.execute(sa.insert(tables[table]), rows)
            counts[table] += len(rows)
        elif "end" in line:
            if line["end"] != counts:
                raise ValueError(f"it should hold {line['end']}, but holds {counts}")
            return counts
        else:
            table, columns = line["table"], line["columns"]
            counts[table] = 0
    raise ValueError("its end is missing")


def _batches(lines: Iterable[Any]) -> Iterator[Any]:
    """Objects as they are; the rows between them as lists of at most PAGE rows."""
    for rows, group in groupby(lines, key=lambda line: isinstance(line, list)):
        if not rows:
            yield from group
            continue
        while batch := list(islice(group, PAGE)):
            yield batch


def _schema(head: Any) -> set[str]:
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        raise ValueError("it is no backup of the pool")
    return {str(revision) for revision in head["schema"]}


def _expect_empty(connection: sa.Connection) -> None:
    for table in TABLES:
        if connection.execute(sa.select(sa.literal(1)).select_from(table).limit(1)).first() is not None:
            raise PoolError(f"the pool is not empty (table {table.name}): restore a backup into a new database")


def _line(file: IO[str], content: object) -> None:
    file.write(json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n")
