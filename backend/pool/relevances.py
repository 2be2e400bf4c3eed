"""By what the documents of a query are ranked, by student version: of all tasks, decided or not."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import sqlalchemy as sa

from backend.pool.database.bulk import by_task, delete, upsert
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
    here = (table.c.project == project, table.c.version == version)
    with reading(engine) as connection:
        if ids is not None:
            return by_task(connection, table.c.score, ids, *here)
        rows = connection.execute(sa.select(table.c.task, table.c.score).where(*here))
        return {row.task: row.score for row in rows}


def drop(engine: sa.Engine, project: int, version: str) -> None:
    """Forget a version's scores."""
    with write(engine) as connection:
        delete(connection, table, table.c.project == project, table.c.version == version)
