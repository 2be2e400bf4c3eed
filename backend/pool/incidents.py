"""What went wrong lately: for people, who would otherwise find only that all is well again."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from backend.pool.database.bulk import together
from backend.pool.database.engine import now_ms, read, write
from backend.pool.database.work_tables import incidents as table
from backend.pool.text import storable

EVERYWHERE = 0  # the project of what concerns all of them
KEPT = 20  # the newest of each project


@dataclass(frozen=True)
class Incident:
    """One thing that went wrong, `times` times from `first_ms` to `last_ms` (UTC milliseconds). `kind` is that of the
    job that it befell, "" if it was none."""

    kind: str
    what: str
    times: int
    first_ms: int
    last_ms: int


def note(engine: sa.Engine, project: int, kind: str, what: str) -> None:
    """Remember it; what happened before is counted once more and becomes the newest."""
    here = (table.c.project == project, table.c.kind == kind, table.c.what == storable(what))
    now = now_ms()
    with write(engine, late=True) as connection:
        together(connection, "incidents")
        known = connection.execute(sa.delete(table).where(*here).returning(table.c.times, table.c.first_ms)).all()
        times, first = 1 + sum(row.times for row in known), min([now, *(row.first_ms for row in known)])
        row = {"project": project, "kind": kind, "what": storable(what), "times": times}
        connection.execute(sa.insert(table), {**row, "first_ms": first, "last_ms": now})
        newest = sa.select(table.c.incident).where(table.c.project == project)
        kept = newest.order_by(table.c.incident.desc()).limit(KEPT).subquery()
        old = (table.c.project == project, table.c.incident.not_in(sa.select(kept.c.incident)))
        connection.execute(sa.delete(table).where(*old))


def recent(engine: sa.Engine, project: int) -> list[Incident]:
    """Those of the project and of everything, newest first."""
    fields = [table.c[name] for name in Incident.__dataclass_fields__]
    query = sa.select(*fields).where(table.c.project.in_((EVERYWHERE, project)))
    with read(engine) as connection:
        return [Incident(**row) for row in connection.execute(query.order_by(table.c.incident.desc())).mappings()]
