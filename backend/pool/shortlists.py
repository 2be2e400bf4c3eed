"""Labels that a student version names for tasks on which it is unsure."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import sqlalchemy as sa

from backend.pool.database.bulk import among, chunks, together, upsert
from backend.pool.database.engine import read as reading
from backend.pool.database.engine import write
from backend.pool.database.student_tables import shortlists
from model.labels import CandidateSet


def save(engine: sa.Engine, project: int, version: str, rows: Mapping[int, CandidateSet | None]) -> None:
    """Store a version's shortlists by task; None says that the version is sure now (the text may have changed)."""
    here = (shortlists.c.project == project, shortlists.c.version == version)
    sure = [task for task, found in rows.items() if found is None]
    kept = [
        {
            "project": project,
            "version": version,
            "task": task,
            "labels": list(found.labels),
            "confidences": list(found.confidences or ()),
        }
        for task, found in sorted(rows.items())
        if found is not None
    ]
    with write(engine) as connection:
        together(connection, project)
        for chunk in chunks(sorted(sure)):
            connection.execute(sa.delete(shortlists).where(*here, among(connection, shortlists.c.task, chunk)))
        upsert(connection, shortlists, kept)


def read(engine: sa.Engine, project: int, version: str, ids: Collection[int]) -> dict[int, CandidateSet]:
    """The stored shortlists of those of the tasks that have one."""
    query = sa.select(shortlists.c.task, shortlists.c.labels, shortlists.c.confidences)
    query = query.where(shortlists.c.project == project, shortlists.c.version == version)
    found: dict[int, CandidateSet] = {}
    with reading(engine) as connection:
        for chunk in chunks(list(ids)):
            rows = connection.execute(query.where(among(connection, shortlists.c.task, chunk)))
            found.update((task, CandidateSet(tuple(labels), tuple(shares))) for task, labels, shares in rows)
    return found


def drop(engine: sa.Engine, project: int, version: str) -> None:
    """Forget a version's shortlists."""
    here = (shortlists.c.project == project, shortlists.c.version == version)
    with write(engine) as connection:
        together(connection, project)
        connection.execute(sa.delete(shortlists).where(*here))
