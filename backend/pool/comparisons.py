"""When each project was last compared with Label Studio, and whether somebody has asked for it since.

All times are UTC milliseconds of our clock.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from backend.pool.database.bulk import upsert
from backend.pool.database.engine import read, write
from backend.pool.database.work_tables import comparisons as table

FIELDS = ("looked_ms", "compared_ms", "asked_ms", "asked_all_ms")


@dataclass(frozen=True)
class Comparison:
    """`looked_ms`: the start of the last look at what changed, `compared_ms` that of the last one at all ids;
    `asked_ms` and `asked_all_ms`: when somebody last asked for either. 0: never."""

    looked_ms: int = 0
    compared_ms: int = 0
    asked_ms: int = 0
    asked_all_ms: int = 0

    @property
    def asked(self) -> bool:
        """Whether somebody asked for a look since the last one began."""
        return self.asked_ms > 0 and self.asked_ms >= self.looked_ms

    @property
    def asked_all(self) -> bool:
        """Whether somebody asked for a look at all ids since the last one began."""
        return self.asked_all_ms > 0 and self.asked_all_ms >= self.compared_ms

    def all_due(self, now: int, every_ms: int) -> bool:
        """Whether all ids are to be compared: asked for since, or longer ago than `every_ms`; a clock that
        was set back makes it due, too. What was missed at its time stays due until it is done."""
        return self.asked_all or not 0 <= now - self.compared_ms < every_ms


def get(engine: sa.Engine, project: int) -> Comparison:
    """What is known of the project's comparisons."""
    query = sa.select(*(table.c[name] for name in FIELDS)).where(table.c.project == project)
    with read(engine) as connection:
        row = connection.execute(query).one_or_none()
    return Comparison() if row is None else Comparison(*row)


def ask(engine: sa.Engine, project: int, now: int, everything: bool) -> None:
    """Somebody asks for a look; with `everything` at all ids."""
    _set(engine, project, asked_ms=now, **({"asked_all_ms": now} if everything else {}))


def done(engine: sa.Engine, project: int, started: int, everything: bool) -> None:
    """A look that began then has ended. What was asked for meanwhile stays asked for."""
    _set(engine, project, looked_ms=started, **({"compared_ms": started} if everything else {}))


def _set(engine: sa.Engine, project: int, **values: int) -> None:
    fresh = {"project": project, **dict.fromkeys(FIELDS, 0), **values}
    with write(engine) as connection:
        upsert(connection, table, [fresh], keep=[name for name in FIELDS if name not in values])
