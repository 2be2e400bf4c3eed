"""How many labels people tick at once: whether that fits what several ticks mean in a project."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa

from backend.pool.database.engine import read
from backend.pool.database.tables import annotations as people
from backend.pool.figures import labelled


class Ticks(NamedTuple):
    """Annotations with a label, and those of them with more than one."""

    answers: int
    several: int


def tick_counts(engine: sa.Engine, project: int) -> Ticks:
    """How many labels people ticked, not counting what was left as it was shown: that may be a shortlist."""
    labels = sa.func.json_array_length(people.c.labels)
    shown = sa.cast(people.c.shown_labels, sa.Text) == sa.cast(people.c.labels, sa.Text)
    several = sa.func.count().filter(labels > 1, sa.func.coalesce(shown, sa.false()).is_(sa.false()))
    with read(engine) as connection:
        row = connection.execute(sa.select(sa.func.count(), several).where(*labelled(project))).one()
        return Ticks(*map(int, row))
