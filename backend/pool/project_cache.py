"""The project of a request, read from the pool only if the pool has changed since.

SQLite counts the commits of all other connections and processes (`PRAGMA data_version`), and asking for that number
costs microseconds. While it stands still, the row read before is the row that a query would read; so the pool stays
the one source of truth. On other databases every request queries.
"""

from __future__ import annotations

import sqlite3
import weakref
from threading import Lock

import sqlalchemy as sa
from sqlalchemy import event

from backend.pool import projects
from backend.pool.projects import Project

MOST = 1_000  # projects that are remembered

_readers: weakref.WeakKeyDictionary[sa.Engine, ProjectReader] = weakref.WeakKeyDictionary()
_lock = Lock()


def read_project(engine: sa.Engine, project: int) -> Project | None:
    """The project as the pool has it now, None if it is unknown. The same object while nothing was committed."""
    with _lock:
        reader = _readers.get(engine) or _readers.setdefault(engine, ProjectReader(engine))
    return reader.get(project)


class ProjectReader:
    """Reads projects of one database."""

    def __init__(self, engine: sa.Engine) -> None:
        self._url = engine.url
        self._engine = weakref.ref(engine)  # the engine's end is the reader's end
        self._lock = Lock()
        self._counter: sqlite3.Connection | None = None
        self._rows: dict[int, tuple[int, Project]] = {}
        event.listen(engine, "engine_disposed", lambda _: self.close())

    def get(self, project: int) -> Project | None:
        """The project, None if it is unknown."""
        commits = self._commits()
        known = self._rows.get(project)
        if commits is not None and known is not None and known[0] == commits:
            return known[1]
        engine = self._engine()
        assert engine is not None, "whoever asks holds the engine"
        row = projects.get(engine, project)  # after the number was read, so that no commit is overlooked
        if commits is not None and row is not None:
            if len(self._rows) >= MOST:
                self._rows.clear()
            self._rows[project] = (commits, row)
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
