"""A project's rows in figures that cost the same however many there are, and a stamp that tells whether any changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from backend.pool.database.engine import read, write
from backend.pool.database.tallies import put_together, tallies

CHANGED = tuple(sorted({"tasks", "textless_tasks", "candidate_sets", "annotations", "predictions", "rulings",
                        "versions", "teachers", "label_spaces", "classifiers"}))  # fmt: skip
SUMS = [sa.func.sum(column) for column in (tallies.c.number, tallies.c.size, tallies.c.changes)]
QUERY = sa.select(tallies.c.project, tallies.c.kind, tallies.c.version, tallies.c.state, *SUMS).group_by(
    tallies.c.project, tallies.c.kind, tallies.c.version, tallies.c.state
)  # made once: every page needs it
OF_PROJECT = QUERY.where(tallies.c.project == sa.bindparam("number"))


@dataclass(frozen=True)
class Tallies:
    """Rows of one project by (table, version, state), the sums of their sizes, and how often each table changed."""

    rows: dict[tuple[str, str, str], int] = field(default_factory=dict)
    sizes: dict[tuple[str, str, str], int] = field(default_factory=dict)
    changes: dict[str, int] = field(default_factory=dict)

    def number(self, kind: str, version: str = "", state: str = "") -> int:
        """Rows of a table with this version and state ("" where the table has none)."""
        return self.rows.get((kind, version, state), 0)

    def of_table(self, kind: str) -> int:
        """Rows of a table, of all versions and in all states."""
        return sum(number for (name, _, _), number in self.rows.items() if name == kind)

    def size(self, kind: str, version: str = "", state: str = "") -> int:
        """Sum of their sizes."""
        return self.sizes.get((kind, version, state), 0)

    def stamp(self, kinds: Iterable[str] = CHANGED) -> tuple[int, ...]:
        """Another one whenever a row of these tables has come, changed or gone."""
        return tuple(self.changes.get(kind, 0) for kind in kinds)


def of_project(engine: sa.Engine, project: int) -> Tallies:
    """The tallies of one project."""
    with read(engine) as connection:
        return _collected(connection.execute(OF_PROJECT, {"number": project})).get(project, Tallies())


def of_all(engine: sa.Engine) -> dict[int, Tallies]:
    """Those of every project that has any."""
    with read(engine) as connection:
        return _collected(connection.execute(QUERY))


def tidy(engine: sa.Engine, project: int) -> None:
    """Keep the tallies few where every connection counts for itself."""
    if engine.dialect.name == "postgresql":
        with write(engine) as connection:
            put_together(connection, project)


def _collected(rows: Iterable[Sequence[Any]]) -> dict[int, Tallies]:
    found: dict[int, Tallies] = defaultdict(Tallies)
    for project, kind, version, state, number, size, changes in rows:
        here = found[project]
        here.rows[kind, version, state] = int(number)
        here.sizes[kind, version, state] = int(size)
        here.changes[kind] = here.changes.get(kind, 0) + int(changes)
    return dict(found)
