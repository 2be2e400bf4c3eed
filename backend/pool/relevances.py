"""By what the documents of a query are ranked, by student version: of all tasks, decided or not."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import sqlalchemy as sa

from backend.pool.database.bulk import among, chunks, delete, upsert
from backend.pool.database.engine import read as reading
from backend.pool.database.engine import write
from backend.pool.database.student_tables import relevances as table


def save(engine: sa.Engine, project: int, version: str, scores: Mapping[int, float]) -> None:
    """Store a version's scores by task, each in [0, 1]; a newer one replaces."""
    rows = [
        {"project": project, "version": version, "task": task, "score": float(scores[task])} for task in sorted(scores)
    ]
    if rows:
        with write(engine) as connection:
            upsert(connection, table, rows)


def read(engine: sa.Engine, project: int, version: str, ids: Collection[int] | None = None) -> dict[int, float]:
    """The scores of those of these tasks that have one; of all with None."""
    wanted = sa.select(table.c.task, table.c.score).where(table.c.project == project, table.c.version == version)
    found: dict[int, float] = {}
    with reading(engine) as connection:
        for chunk in [None] if ids is None else chunks(list(ids)):
            here = wanted if chunk is None else wanted.where(among(connection, table.c.task, chunk))
            found.update((task, score) for task, score in connection.execute(here))
    return found


def drop(engine: sa.Engine, project: int, version: str) -> None:
    """Forget a version's scores."""
    with write(engine) as connection:
        delete(connection, table, table.c.project == project, table.c.version == version)
