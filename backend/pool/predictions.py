"""Labels that a student version gave, and which of them Label Studio does not hold yet."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

import sqlalchemy as sa

from backend.pool.database.bulk import among, chunks, delete, upsert
from backend.pool.database.cursor import search
from backend.pool.database.engine import read as reading
from backend.pool.database.engine import write
from backend.pool.database.student_tables import predictions, published
from backend.pool.database.tables import annotations as people
from backend.pool.standing import present


def save(
    engine: sa.Engine,
    project: int,
    version: str,
    rows: Sequence[tuple[int, str, str, float]],
    several: Mapping[int, Sequence[str]] = MappingProxyType({}),
) -> None:
    """Store (task, hash of the text, label, score in [0, 1]) in bulk; a newer row replaces.

    `several` has all labels of each task where several may be right at once.
    """
    ready = {
        task: {
            "project": project,
            "task": task,
            "version": version,
            "text_hash": text_hash,
            "label": label,
            "score": float(score),
            "labels": list(several[task]) if task in several else None,
        }
        for task, text_hash, label, score in rows
    }
    with write(engine) as connection:
        upsert(connection, predictions, [ready[task] for task in sorted(ready)])


def read(
    engine: sa.Engine, project: int, version: str, ids: Collection[int] | None = None
) -> dict[int, tuple[str, str, float]]:
    """Stored rows as {task: (hash of the text, label, score)}: of these tasks, or of all with None."""
    wanted = sa.select(predictions.c.task, predictions.c.text_hash, predictions.c.label, predictions.c.score)
    wanted = wanted.where(predictions.c.project == project, predictions.c.version == version)
    with reading(engine) as connection:
        if ids is None:
            rows = list(connection.execute(wanted))
        else:
            parts = (
                connection.execute(wanted.where(among(connection, predictions.c.task, chunk)))
                for chunk in chunks(list(ids))
            )
            rows = [row for part in parts for row in part]
    return {task: (text_hash, label, score) for task, text_hash, label, score in rows}


def several(engine: sa.Engine, project: int, version: str, ids: Collection[int]) -> dict[int, tuple[str, ...]]:
    """All labels of those of these tasks that the version answered, where several may be right at once."""
    wanted = sa.select(predictions.c.task, predictions.c.labels)
    here = (predictions.c.project == project, predictions.c.version == version, predictions.c.labels.is_not(None))
    found: dict[int, tuple[str, ...]] = {}
    with reading(engine) as connection:
        for chunk in chunks(list(ids)):
            rows = connection.execute(wanted.where(*here, among(connection, predictions.c.task, chunk)))
            found.update((task, tuple(labels)) for task, labels in rows)
    return found


def unpublished(engine: sa.Engine, project: int, version: str, limit: int) -> list[tuple[int, str, float]]:
    """Up to `limit` predictions (task, label, score) that Label Studio holds no row of, by ascending task; none: all
    are there.

    Left out are tasks that were deleted or edited since, and those with an intent to send them.
    """

    def find(after: int) -> list[tuple[int, str, float]]:
        query = waiting(project, version).where(predictions.c.task > after)
        with reading(engine) as connection:
            rows = connection.execute(query.order_by(predictions.c.task).limit(limit))
            return [(task, label, score) for task, label, score in rows]

    return search(engine, ("predictions", project, version), find)


def least_certain(engine: sa.Engine, project: int, version: str, limit: int) -> list[tuple[int, str, float]]:
    """The rows of `unpublished` with the lowest scores: those that Label Studio's uncertainty sampling takes first."""
    query = waiting(project, version).order_by(predictions.c.score, predictions.c.task).limit(limit)
    with reading(engine) as connection:
        return [(task, label, score) for task, label, score in connection.execute(query)]


def waiting(project: int, version: str) -> sa.Select[int, str, float]:
    """The query behind `unpublished`. PostgreSQL looks up each row by its key: with an anti-join it reads all rows sent
    so far for every one where it takes a new version to have none."""
    held = sa.select(sa.literal(1)).where(
        published.c.project == project, published.c.version == version, published.c.task == predictions.c.task
    )
    return sa.select(predictions.c.task, predictions.c.label, predictions.c.score).where(
        predictions.c.project == project,
        predictions.c.version == version,
        held.scalar_subquery().is_(None),
        present(predictions),
    )


def drop_unseen(engine: sa.Engine, project: int, version: str) -> None:
    """Forget a version's predictions but for tasks that somebody decided while it was served: figures need these."""
    seen = sa.select(sa.literal(1)).where(
        people.c.project == predictions.c.project,
        people.c.task == predictions.c.task,
        people.c.shown_version == predictions.c.version,
    )
    here = (predictions.c.project == project, predictions.c.version == version)
    with write(engine) as connection:
        delete(connection, predictions, *here, ~sa.exists(seen))


def compared(engine: sa.Engine, project: int, old: str, new: str) -> tuple[int, int]:
    """(number of tasks that both versions answered for the same text, number of them with another label)."""
    before, after = predictions.alias("before"), predictions.alias("after")
    same = sa.and_(
        before.c.project == after.c.project, before.c.task == after.c.task, before.c.text_hash == after.c.text_hash
    )
    query = (
        sa.select(sa.func.count(), sa.func.count().filter(_named(before) != _named(after)))
        .select_from(before.join(after, same))
        .where(before.c.project == project, before.c.version == old, after.c.version == new)
    )
    with reading(engine) as connection:
        tasks, changed = connection.execute(query).one()
    return int(tasks), int(changed)


def _named(rows: sa.FromClause) -> sa.ColumnElement[str]:
    """All labels of a prediction as one text."""
    return sa.func.coalesce(sa.cast(rows.c.labels, sa.Text), rows.c.label)
