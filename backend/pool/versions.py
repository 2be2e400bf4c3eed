"""Student versions: every one ever trained, what became of it, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from backend.errors import PoolError
from backend.pool.database import student_tables, tables
from backend.pool.database.bulk import in_order
from backend.pool.database.engine import now_ms, read, write
from backend.pool.database.student_tables import versions

STATES = ("trained", "publishing", "promoted", "rejected", "retired", "removed")


@dataclass(frozen=True)
class VersionRow:
    """One version. `state` is one of STATES; `human_labels` is the number of human labels it was trained on."""

    project: int
    version: str
    number: int
    space_hash: str
    state: str
    reason: str
    metrics: dict[str, Any]
    human_labels: int
    created_ms: int
    promoted_ms: int | None


def add(
    engine: sa.Engine,
    project: int,
    version: str,
    number: int,
    space_hash: str,
    metrics: Mapping[str, Any],
    human_labels: int,
) -> None:
    """Record a freshly trained version. Raises PoolError if there is one of that name: versions are never replaced."""
    row = {"project": project, "version": version, "number": number, "space_hash": space_hash, "state": "trained"}
    row |= {"metrics": dict(metrics), "human_labels": human_labels, "created_ms": now_ms()}
    try:
        with write(engine) as connection:
            connection.execute(sa.insert(versions), row)
    except sa.exc.IntegrityError as error:
        raise PoolError(f"project {project} has a version {version!r} already") from error


def get(engine: sa.Engine, project: int, version: str) -> VersionRow | None:
    """One version, None if it is unknown."""
    rows = _select(engine, versions.c.project == project, versions.c.version == version)
    return rows[0] if rows else None


def list_versions(engine: sa.Engine, project: int) -> list[VersionRow]:
    """All versions of a project, newest first."""
    return _select(engine, versions.c.project == project)


def set_state(engine: sa.Engine, project: int, version: str, state: str, reason: str) -> None:
    """Say what became of a version and why. Promoting is `projects.promote`, which also serves it."""
    if state not in STATES:
        raise ValueError(f"a version cannot be {state!r}; allowed are {', '.join(STATES)}")
    here = (versions.c.project == project, versions.c.version == version)
    with write(engine) as connection:
        connection.execute(sa.update(versions).where(*here).values(state=state, reason=reason))


def set_metrics(engine: sa.Engine, project: int, version: str, metrics: Mapping[str, Any]) -> None:
    """Replace what is known about a version."""
    here = (versions.c.project == project, versions.c.version == version)
    with write(engine) as connection:
        connection.execute(sa.update(versions).where(*here).values(metrics=dict(metrics)))


def next_number(engine: sa.Engine, project: int) -> int:
    """A number for a new version that none had before and none will have: it counts as given, whatever becomes of it,
    and also once the project is forgotten. Numbers start at 1."""
    rows = tables.projects
    largest = sa.select(sa.func.coalesce(sa.func.max(versions.c.number), 0)).where(versions.c.project == project)
    with write(engine) as connection:
        known = int(connection.execute(largest).scalar_one())
        made = sa.case((rows.c.versions_made > known, rows.c.versions_made), else_=known) + 1
        count = sa.update(rows).where(rows.c.project == project).values(versions_made=made)
        number = connection.execute(count.returning(rows.c.versions_made)).scalar_one_or_none()
    return int(known + 1 if number is None else number)


def skip_numbers(engine: sa.Engine, count: int) -> None:
    """Leave out so many numbers in every project: they may have been given after a backup that was restored."""
    rows = tables.projects
    with write(engine) as connection:
        all_of_them = in_order(connection, rows, sa.true())
        connection.execute(sa.update(rows).where(all_of_them).values(versions_made=rows.c.versions_made + count))


def _select(engine: sa.Engine, *which: sa.ColumnElement[bool]) -> list[VersionRow]:
    query = sa.select(versions).where(*which).order_by(versions.c.number.desc(), versions.c.created_ms.desc())
    with read(engine) as connection:
        return [VersionRow(**row) for row in connection.execute(query).mappings()]


def to_load(engine: sa.Engine, coming: bool = True) -> list[tuple[int, str]]:
    """(project, version) of every student that is served and, if to_load, of those being published, the latter last."""
    rows, versions = tables.projects, student_tables.versions
    served = sa.select(rows.c.project, rows.c.served).where(rows.c.served.is_not(None))
    next_ones = sa.select(versions.c.project, versions.c.version).where(versions.c.state == "publishing")
    with engine.connect() as connection:
        found = [row for query in ([served, next_ones] if coming else [served]) for row in connection.execute(query)]
    return [(int(project), str(version)) for project, version in found]
