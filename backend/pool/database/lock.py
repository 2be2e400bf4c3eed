"""One at a time, by a lock that ends with its holder and that no clock can end: the database or the system drops it.

PostgreSQL drops it with the connection, which may break while its holder lives on; so whoever writes under a lock takes
a turn with it. A process that the system has stopped keeps its lock on SQLite, and on PostgreSQL while its connection
stands: then nobody takes over, and nothing is written twice either.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import sqlalchemy as sa

from backend.pool.database.engine import write
from backend.pool.database.turn import OPTION, take_turn

SESSION = {  # of the connection that keeps a lock
    "idle_in_transaction_session_timeout": "0",  # it is idle while the work goes on, whatever the server's own limit is
    "tcp_keepalives_idle": "15",  # the lock of a host that has vanished is free in half a minute, not in two hours
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}


@contextmanager
def alone(engine: sa.Engine, name: str, lasting: bool = True) -> Iterator[bool]:
    """Hold the lock `name` of this pool while the block runs; False, and nothing is held, if another process has it.

    PostgreSQL keeps it for all hosts. SQLite has one host, whose system keeps it on a file beside the database. A lock
    that is not `lasting`, because nobody takes it a second time, leaves no file.
    """
    if engine.dialect.name == "postgresql":
        with _in_postgresql(engine, name) as mine:
            yield mine
    elif engine.url.database in (None, "", ":memory:"):
        yield True
    else:
        path = Path(f"{engine.url.database}-locks") / name
        with _on_file(path) as mine:
            try:
                yield mine
            finally:
                if mine and not lasting:
                    path.unlink(missing_ok=True)


@contextmanager
def turn(engine: sa.Engine, name: str) -> Iterator[sa.Engine | None]:
    """As `alone`; what it gives is the database with which to write while the block runs, None if it is not our turn.

    Should the lock be lost and another process get it, whatever is still written by that engine raises TurnLost.
    """
    with alone(engine, name) as mine:
        if not mine:
            yield None
            return
        with write(engine) as connection:
            token = take_turn(connection, name)
        yield engine.execution_options(**{OPTION: (name, token)})


@contextmanager
def _in_postgresql(engine: sa.Engine, name: str) -> Iterator[bool]:
    """Of a transaction, not of a session: it ends with its holder behind a connection pooler, too."""
    key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
    connection = engine.connect()
    try:
        connection.execute(sa.select(*(sa.func.set_config(name, value, True) for name, value in SESSION.items())))
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
