"""The state of each project's jobs, for people and for the queue; it outlives Redis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from backend.pool.database.bulk import upsert
from backend.pool.database.engine import now_ms, read, write
from backend.pool.database.work_tables import jobs
from backend.pool.text import storable

ORDER = ("running", "queued", "failed", "idle")  # what people should hear of first
OF_PROJECT = sa.select(jobs).where(jobs.c.project == sa.bindparam("number"))  # made once: every webhook needs it
FRESH: dict[str, Any] = {"again": False, "due_ms": 0, "step": "", "progress": None, "error": None}


@dataclass(frozen=True)
class JobRow:
    """One kind of job of one project. `state` is queued, running, idle (it finished well) or failed.

    `again` says that it was asked for while it ran, `due_ms` that this is not urgent before that time (UTC). `step` is
    what it does or did last, in words; `progress` in [0, 1]. `runs` counts how many have begun, ever.
    """

    project: int
    kind: str
    state: str
    again: bool
    step: str
    progress: float | None
    error: str | None
    started_ms: int | None
    updated_ms: int
    due_ms: int = 0
    runs: int = 0


def queued(engine: sa.Engine, project: int, kind: str) -> None:
    """The job waits. That it should run again is fulfilled by this run, which starts later."""
    _put(engine, project, kind, state="queued", **FRESH)


def begin(engine: sa.Engine, project: int, kind: str) -> None:
    """The job runs from now on."""
    row = {"project": project, "kind": kind, "updated_ms": now_ms(), "started_ms": now_ms(), "state": "running"}
    with write(engine) as connection:
        upsert(connection, jobs, [row | FRESH])
        connection.execute(sa.update(jobs).where(*_here(project, kind)).values(runs=jobs.c.runs + 1))


def step(engine: sa.Engine, project: int, kind: str, text: str, progress: float | None = None) -> None:
    """Say what the job does now; `progress` in [0, 1] or None where it is not known."""
    share = None if progress is None else min(1.0, max(0.0, float(progress)))
    _change(engine, project, kind, step=storable(text), progress=share)


def finish(engine: sa.Engine, project: int, kind: str, text: str = "") -> None:
    """The job ended well; `text` is what it achieved."""
    _put(engine, project, kind, state="idle", step=storable(text), progress=None, error=None)


def fail(engine: sa.Engine, project: int, kind: str, error: str) -> None:
    """The job ended badly; `error` is one sentence for people. The last step stays."""
    _put(engine, project, kind, state="failed", progress=None, error=storable(error))


def ask_again(engine: sa.Engine, project: int, kind: str, due_ms: int = 0) -> None:
    """Have a running job run once more when it has ended, with `due_ms` (UTC) not before that time."""
    _change(engine, project, kind, again=True, due_ms=due_ms)


def get(engine: sa.Engine, project: int) -> dict[str, JobRow]:
    """The jobs of a project by kind; one that was never asked for is missing."""
    with read(engine) as connection:
        rows = connection.execute(OF_PROJECT, {"number": project}).mappings()
        return {row["kind"]: JobRow(**row) for row in rows}


def of_all(engine: sa.Engine) -> dict[int, dict[str, JobRow]]:
    """The jobs of all projects, each as `get` gives them."""
    found: dict[int, dict[str, JobRow]] = {}
    with read(engine) as connection:
        for row in connection.execute(sa.select(jobs)).mappings():
            found.setdefault(row["project"], {})[row["kind"]] = JobRow(**row)
    return found


def latest(rows: Mapping[str, JobRow]) -> JobRow | None:
    """Of a project's jobs the one that people should hear of: that runs, else waits, else failed, else ended last."""
    return min(rows.values(), key=lambda row: (ORDER.index(row.state), -row.updated_ms), default=None)


def _put(engine: sa.Engine, project: int, kind: str, **values: Any) -> None:
    row = {"project": project, "kind": kind, "updated_ms": now_ms(), **values}
    with write(engine) as connection:
        upsert(connection, jobs, [row])


def _change(engine: sa.Engine, project: int, kind: str, **values: Any) -> None:
    with write(engine) as connection:
        connection.execute(sa.update(jobs).where(*_here(project, kind)).values(updated_ms=now_ms(), **values))


def _here(project: int, kind: str) -> tuple[sa.ColumnElement[bool], ...]:
    return jobs.c.project == project, jobs.c.kind == kind
