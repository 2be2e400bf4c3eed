"""How long decisions took people, with what they were shown."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa

from backend.pool.database.engine import read
from backend.pool.database.tables import annotations as people
from backend.pool.figures import labelled
from backend.pool.standing import meaning


class Timed(NamedTuple):
    """The first decision about a task: what was ticked before and after, and how many seconds lay between."""

    task: int
    shown: tuple[str, ...]
    decided: tuple[str, ...]
    seconds: float


def first_decisions(engine: sa.Engine, project: int) -> list[Timed]:
    """Of every task whose first decision was timed, and of which it is known what was shown; oldest first."""
    columns = (people.c.task, people.c.shown_labels, people.c.labels, people.c.lead_time)
    found: dict[int, Timed] = {}
    with read(engine) as connection:
        here = (*labelled(project, meaning(connection, project)), people.c.shown_version.is_not(None))
        query = sa.select(*columns).where(*here).order_by(people.c.shown_at, people.c.annotation)
        for task, shown, decided, seconds in connection.execute(query):
            if task not in found:
                found[task] = Timed(task, tuple(shown or ()), tuple(decided), -1.0 if seconds is None else seconds)
    return [one for one in found.values() if one.seconds > 0]
