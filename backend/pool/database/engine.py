"""The database behind the pool: SQLite in WAL mode or PostgreSQL, chosen by URL alone."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import event

from backend.errors import PoolError
from backend.pool.database.turn import expect_turn

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK = 7_406_815_119  # PostgreSQL's advisory lock of migrations: any number that nobody else takes
BUSY_MS = 30_000  # how long a writer waits for another one on SQLite
REVISIONS = sa.table("alembic_version", sa.column("version_num", sa.String))
CONNECT_SECONDS = 10  # how long PostgreSQL may take to answer
PRAGMAS = (f"busy_timeout={BUSY_MS}", "synchronous=NORMAL", "foreign_keys=ON")


def now_ms() -> int:
    """The time, UTC in milliseconds."""
    return time.time_ns() // 1_000_000


def open_engine(url: str) -> sa.Engine:
    """The database at a URL (`sqlite:///file` or `postgresql://…`). Nothing is connected yet.

    The folder of an SQLite file is made. Raises PoolError if the URL is malformed, of another kind of database, or
    its driver is not installed.
    """
    try:
        parsed = sa.make_url(url)
        kind = parsed.get_backend_name()
        if kind not in ("sqlite", "postgresql"):
            raise PoolError(f"DATABASE_URL is of kind {kind!r}; allowed are sqlite:///file and postgresql://…")
        if kind == "sqlite" and parsed.database not in (None, "", ":memory:"):
            Path(str(parsed.database)).parent.mkdir(parents=True, exist_ok=True)
        engine = sa.create_engine(parsed, **_options(parsed))
    except sa.exc.ArgumentError as error:
        raise PoolError(f"DATABASE_URL cannot be understood: {error}") from error
    except ModuleNotFoundError as error:
        raise PoolError(f"{error.name} is not installed: pip install 'shortlist[postgres]'") from error
    except OSError as error:
        raise PoolError(f"the folder of the database cannot be made: {error}") from error
    if kind == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def upgrade(engine: sa.Engine) -> None:
    """Bring the schema up to date; several processes may do so at once.

    Raises PoolError if the database cannot be opened or was written by a newer release.
    """
    try:
        with read(engine) as connection:
            if schema(connection) == {newest()}:  # nearly every start: Alembic is not even imported
                return
        _migrate(engine)
    except sa.exc.SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).strip()
        raise PoolError(f"the database {_place(engine)} cannot be opened: {reason}") from error


def _migrate(engine: sa.Engine) -> None:
    from alembic.util import CommandError

    with write(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
        unknown = schema(connection) - revisions()
        if unknown:
            raise PoolError(
                f"the database {_place(engine)} has schema {', '.join(unknown)}, which this release does not know; "
                "install the newer release again, or restore a backup"
            )
        try:
            migrate(connection)
        except CommandError as error:
            raise PoolError(f"the database {_place(engine)} cannot be opened: {error}") from error


def migrate(connection: sa.Connection, revision: str = "head") -> None:
    """Bring the schema forwards to a revision, inside a transaction of the caller's."""
    from alembic import command

    from backend.pool.database.tallies import install

    config = _alembic()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
    if revision == "head":
        install(connection)


def revisions() -> set[str]:
    """All revisions that this release knows."""
    from alembic.script import ScriptDirectory

    return {revision.revision for revision in ScriptDirectory.from_config(_alembic()).walk_revisions()}


def _alembic() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def check_schema(engine: sa.Engine) -> None:
    """Raise PoolError if the schema is not this release's; an SQLAlchemyError if the database cannot be used."""
    with read(engine) as connection:
        here = schema(connection)
    if here != {newest()}:
        raise PoolError(f"it has schema {', '.join(sorted(here)) or 'none'}, this release needs {newest()}")


def newest() -> str:
    """The revision of this release: migrations are numbered, and their files begin with the number."""
    return max(path.name[:4] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


@contextmanager
def write(engine: sa.Engine, late: bool = False) -> Iterator[sa.Connection]:
    """A transaction that may write: on SQLite it owns the write lock from its start, so that it cannot fail later.

    With an engine of `lock.turn` it raises TurnLost, and nothing is written, once another process has the lock; but
    what is right whoever does the work now (what was paid, what befell it) may be written `late`.
    """
    with engine.execution_options(write=True).begin() as connection:
        if not late:
            expect_turn(connection)
        yield connection


@contextmanager
def read(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A transaction that only reads. It disturbs no writer."""
    with engine.connect() as connection:
        yield connection


def schema(connection: sa.Connection) -> set[str]:
    """The revisions that the database is at: one, or none before the first upgrade."""
    if not sa.inspect(connection).has_table(REVISIONS.name):
        return set()
    return set(connection.scalars(sa.select(REVISIONS.c.version_num)))


@contextmanager
def snapshot(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A transaction that sees the database as of one moment, however long it reads."""
    if engine.dialect.name == "postgresql":
        engine = engine.execution_options(isolation_level="REPEATABLE READ")
    with engine.connect() as connection:
        yield connection


def _options(url: sa.URL) -> dict[str, Any]:
    if url.get_backend_name() == "sqlite":
        return {}
    # A server may restart between two requests: a stale connection is noticed before it is used, and a host that does
    # not answer is given up on.
    patience = {} if "connect_timeout" in url.query else {"connect_timeout": CONNECT_SECONDS}
    return {"pool_pre_ping": True, "pool_recycle": 1800, "max_overflow": 20, "connect_args": patience}


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # SQLAlchemy, not the driver, opens transactions
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    _write_ahead(connection)


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Set WAL mode, which the file remembers. The processes that open a new file together take turns.

    SQLite does not wait here as it does elsewhere: two connections that both want to change the mode would wait for
    each other, so that one of them is told at once that the database is locked.
    """
    deadline = time.monotonic() + BUSY_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
        time.sleep(0.01)


def _begin_sqlite(connection: sa.Connection) -> None:
    wants_to_write = connection.get_execution_options().get("write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if wants_to_write else "BEGIN")


def _place(engine: sa.Engine) -> str:
    return engine.url.render_as_string(hide_password=True)
