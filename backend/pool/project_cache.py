"""The project of a request, read from the pool only if the pool has changed since.

SQLite counts the commits of all other connections and processes (`PRAGMA data_version`), and asking for that number
costs microseconds. While it stands still, the row read before is the row that a query would read; so the pool stays
the one source of truth. On other databases every request queries.
"""

from __future__ import annotations

import sqlite3
import weakref
from threading import Lock
from typing import TypeAlias

import sqlalchemy as sa
from sqlalchemy import event

from backend.pool import projects
from backend.pool.projects import Project

Key: TypeAlias = tuple[int] | tuple[int, str]  # number here, or number and creation time at Label Studio
MOST = 1_000  # projects that are remembered

_readers: weakref.WeakKeyDictionary[sa.Engine, ProjectReader] = weakref.WeakKeyDictionary()
_lock = Lock()


def read_project(engine: sa.Engine, project: int) -> Project | None:
    """`projects.get` as the pool has it now. The same object while nothing was committed."""
    return _reader(engine).read((project,))


def find_project(engine: sa.Engine, label_studio_id: int, created: str) -> Project | None:
    """As `read_project`, for `projects.find`."""
    return _reader(engine).read((label_studio_id, created))


def _reader(engine: sa.Engine) -> ProjectReader:
    with _lock:
        return _readers.get(engine) or _readers.setdefault(engine, ProjectReader(engine))


class ProjectReader:
    """Reads projects of one database."""

    def __init__(self, engine: sa.Engine) -> None:
        self._url = engine.url
        self._engine = weakref.ref(engine)  # the engine's end is the reader's end
        self._lock = Lock()
        self._counter: sqlite3.Connection | None = None
        self._rows: dict[Key, tuple[int, Project]] = {}
        event.listen(engine, "engine_disposed", lambda _: self.close())

    def read(self, key: Key) -> Project | None:
        """The project, None if it is unknown; ProjectError if it cannot be told from others."""
        commits = self._commits()
        known = self._rows.get(key)
        if commits is not None and known is not None and known[0] == commits:
            return known[1]
        engine = self._engine()
        assert engine is not None, "whoever asks holds the engine"
        # after the number of commits was read, so that none is overlooked
        row = projects.get(engine, *key) if len(key) == 1 else projects.find(engine, *key)
        if commits is not None and row is not None:
            if len(self._rows) >= MOST:
                self._rows.clear()
            self._rows[key] = (commits, row)
        return row

    def close(self) -> None:
        """Close the connection that counts."""
        with self._lock:
            if self._counter is not None:
                self._counter.close()
            self._counter = None
            self._rows.clear()

    def _commits(self) -> int | None:
        """Number that changes with every commit; None where the database has none."""
        if self._url.get_backend_name() != "sqlite" or self._url.database in (None, "", ":memory:"):
            return None
        with self._lock:
            if self._counter is None:
                self._rows.clear()
                self._counter = sqlite3.connect(str(self._url.database), check_same_thread=False)
            return int(self._counter.execute("PRAGMA data_version").fetchone()[0])
