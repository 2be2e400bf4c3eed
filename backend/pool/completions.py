"""What lacks nothing: found out by a search through all rows, and remembered until one of them changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import sqlalchemy as sa

from backend.pool.database.bulk import together, upsert
from backend.pool.database.engine import read, write
from backend.pool.database.work_tables import completions
from backend.pool.tallies import Tallies

table = completions


def lacks_nothing(
    engine: sa.Engine, project: int, what: str, now: Tallies, kinds: Iterable[str], search: Callable[[], bool]
) -> bool:
    """Whether `search` finds nothing missing; it is not asked again before a row of the tables `kinds` changes.

    `now` are the project's tallies from before: what changes during the search is searched again. Of each `what` up to
    its first "/" only the latest is remembered.
    """
    stamp = ",".join(map(str, now.stamp(kinds)))
    here = (table.c.project == project, table.c.what == what)
    with read(engine) as connection:
        if connection.scalar(sa.select(table.c.stamp).where(*here)) == stamp:
            return True
    if search():
        return False
    former = table.c.what.startswith(f"{what.partition('/')[0]}/", autoescape=True)
    with write(engine) as connection:
        together(connection, f"completions of {project}")
        connection.execute(sa.delete(table).where(table.c.project == project, former, table.c.what != what))
        upsert(connection, table, [{"project": project, "what": what, "stamp": stamp}])
    return True
