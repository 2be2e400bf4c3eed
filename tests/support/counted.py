"""What the database counts by itself beside what is there."""

from __future__ import annotations

import sqlalchemy as sa

from backend.pool.database import tallies as counting
from backend.pool.database.engine import write


def summed(engine: sa.Engine) -> dict[tuple[object, ...], tuple[int, int]]:
    """Numbers and sizes over all slots, without what is there no more."""
    key = (counting.tallies.c.project, *(counting.tallies.c[name] for name in ("kind", "version", "state")))
    sums = sa.func.sum(counting.tallies.c.number), sa.func.sum(counting.tallies.c.size)
    with engine.connect() as connection:
        rows = connection.execute(sa.select(*key, *sums).group_by(*key)).all()
    return {tuple(row[:4]): (int(row[4]), int(row[5])) for row in rows if row[4] or row[5]}


def expect_right(engine: sa.Engine) -> None:
    """As kept, and as counted anew."""
    kept = summed(engine)
    with write(engine) as connection:
        counting.recount(connection)
    assert kept == summed(engine)
