"""One at a time, by a lock that ends with its holder and that no clock can end: the database or the system drops it."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import sqlalchemy as sa


@contextmanager
def alone(engine: sa.Engine, name: str) -> Iterator[bool]:
    """Hold the lock `name` of this pool while the block runs; False, and nothing is held, if another process has it.

    PostgreSQL keeps it for all hosts. SQLite has one host, whose system keeps it on a file beside the database. A lock
    whose connection breaks is free again: what its holder then writes is refused by the same broken connection.
    """
    if engine.dialect.name == "postgresql":
        with _in_postgresql(engine, name) as mine:
            yield mine
    elif engine.url.database in (None, "", ":memory:"):
        yield True
    else:
        with _on_file(Path(f"{engine.url.database}-locks") / name) as mine:
            yield mine


@contextmanager
def _in_postgresql(engine: sa.Engine, name: str) -> Iterator[bool]:
    """Of a transaction, not of a session: it ends with its holder behind a connection pooler, too."""
    key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
    connection = engine.connect()
    try:
        yield bool(connection.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(key))))
    finally:
        with suppress(sa.exc.SQLAlchemyError):  # the connection is gone, and the lock with it
            connection.close()


@contextmanager
def _on_file(path: Path) -> Iterator[bool]:
    path.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(file)
