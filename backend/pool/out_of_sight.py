"""Since when nobody is shown a version's rows in Label Studio any more."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from backend.pool.database.bulk import together, upsert
from backend.pool.database.engine import read, write
from backend.pool.database.work_tables import completions

WHAT = "unseen/"  # and the version: its rows of `completions`


def since(engine: sa.Engine, project: int) -> dict[str, int]:
    """The moment from which on each version was known to be unseen (UTC milliseconds), the latest first."""
    here = (completions.c.project == project, completions.c.what.startswith(WHAT, autoescape=True))
    with read(engine) as connection:
        rows = connection.execute(sa.select(completions.c.what, completions.c.stamp).where(*here))
        found = {what.removeprefix(WHAT): int(stamp) for what, stamp in rows}
    return dict(sorted(found.items(), key=lambda one: (-one[1], one[0])))


def note(engine: sa.Engine, project: int, unseen: Collection[str], now: int) -> None:
    """These versions, and no others, are unseen; those that were not so before are from `now` on."""
    before = since(engine, project)
    added, over = sorted(set(unseen) - set(before)), set(before) - set(unseen)
    if not added and not over:
        return
    with write(engine) as connection:
        together(connection, f"completions of {project}")
        gone = completions.c.what.in_([f"{WHAT}{version}" for version in over])
        connection.execute(sa.delete(completions).where(completions.c.project == project, gone))
        if added:
            rows = [{"project": project, "what": f"{WHAT}{version}", "stamp": str(now)} for version in added]
            upsert(connection, completions, rows)
