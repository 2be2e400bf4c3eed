"""What Label Studio holds, by version: read and forgotten where rows are taken away there."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from backend.pool.database.bulk import delete, in_order
from backend.pool.database.engine import read, write
from backend.pool.database.student_tables import published


def versions(engine: sa.Engine, project: int) -> set[str]:
    """The versions of which Label Studio holds rows: one statement, of a step in the index for each of them, however
    many tasks there are and however many versions there ever were."""
    here = published.c.project == project
    found = sa.select(sa.func.min(published.c.version).label("version")).where(here).cte("found", recursive=True)
    following = sa.select(sa.func.min(published.c.version)).where(here, published.c.version > found.c.version)
    found = found.union_all(sa.select(following.scalar_subquery()).where(found.c.version.is_not(None)))
    sent = sa.exists().where(here, published.c.version == found.c.version, published.c.open_until_ms == 0)
    with read(engine) as connection:
        return set(connection.scalars(sa.select(found.c.version).where(found.c.version.is_not(None), sent)))


def first_task(engine: sa.Engine, project: int, versions: Sequence[str]) -> int | None:
    """The first task of which Label Studio holds a row of these versions; None where it holds none."""
    with read(engine) as connection:
        first = (
            connection.scalar(
                sa.select(published.c.task).where(*_sent(project, [version])).order_by(published.c.task).limit(1)
            )
            for version in versions
        )
        return min((task for task in first if task is not None), default=None)


def doubt(engine: sa.Engine, project: int, versions: Sequence[str], last: int | None) -> None:
    """Rows of tasks up to `last` (None: all) are about to be taken away: after a crash Label Studio is asked about
    them."""
    with write(engine) as connection:
        here = in_order(connection, published, *_sent(project, versions, last))
        connection.execute(sa.update(published).where(here).values(confirmed=False))


def forget(engine: sa.Engine, project: int, versions: Sequence[str], last: int | None) -> None:
    """Label Studio holds these rows no more."""
    with write(engine) as connection:
        delete(connection, published, *_sent(project, versions, last))


def _sent(project: int, versions: Sequence[str], last: int | None = None) -> list[sa.ColumnElement[bool]]:
    """Rows that Label Studio cannot be storing any more: what it was given and may still store is asked about first."""
    here = [published.c.project == project, published.c.version.in_(versions), published.c.open_until_ms == 0]
    return here if last is None else [*here, published.c.task <= last]
