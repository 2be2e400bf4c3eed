"""How many answers differ between two student versions, counted by the database on the tasks that both answered."""

from __future__ import annotations

import sqlalchemy as sa

from backend.pool.database.engine import read
from backend.pool.database.tables import predictions


def compared(engine: sa.Engine, project: int, old: str, new: str) -> tuple[int, int]:
    """(number of tasks that both versions answered for the same text, number of them with another label)."""
    before, after = predictions.alias("before"), predictions.alias("after")
    same = sa.and_(
        before.c.project == after.c.project, before.c.task == after.c.task, before.c.text_hash == after.c.text_hash
    )
    query = (
        sa.select(sa.func.count(), sa.func.count().filter(before.c.label != after.c.label))
        .select_from(before.join(after, same))
        .where(before.c.project == project, before.c.version == old, after.c.version == new)
    )
    with read(engine) as connection:
        tasks, changed = connection.execute(query).one()
    return int(tasks), int(changed)
