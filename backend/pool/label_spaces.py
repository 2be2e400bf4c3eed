"""Label spaces that a teacher was asked about: needed to tell what may be carried over to a changed one."""

from __future__ import annotations

import sqlalchemy as sa

from backend.pool.database.bulk import insert
from backend.pool.database.engine import now_ms, read, write
from backend.pool.database.tables import candidate_sets, label_spaces
from model.labels import LabelSpace


def remember(engine: sa.Engine, project: int, space: LabelSpace) -> None:
    """Keep a label space under its hash; writes only if it is new."""
    if recall(engine, project, space.hash) is not None:
        return
    row = {"project": project, "space_hash": space.hash, "space": space.to_json(), "created_ms": now_ms()}
    with write(engine) as connection:
        connection.execute(insert(connection, label_spaces).on_conflict_do_nothing(), row)


def recall(engine: sa.Engine, project: int, space_hash: str) -> LabelSpace | None:
    """The label space with this hash, None if it was never remembered."""
    with read(engine) as connection:
        content = connection.scalar(sa.select(label_spaces.c.space).where(_is(project, space_hash)))
    return None if content is None else LabelSpace.from_json(content)


def asked_versions(engine: sa.Engine, project: int) -> list[str]:
    """Teacher versions that have candidate sets, the most recently asked first."""
    latest = sa.func.max(candidate_sets.c.created_ms)
    query = sa.select(candidate_sets.c.version).where(candidate_sets.c.project == project)
    query = query.group_by(candidate_sets.c.version).order_by(latest.desc())
    with read(engine) as connection:
        return list(connection.scalars(query))


def _is(project: int, space_hash: str) -> sa.ColumnElement[bool]:
    return sa.and_(label_spaces.c.project == project, label_spaces.c.space_hash == space_hash)
