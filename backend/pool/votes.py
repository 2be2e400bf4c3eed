"""What each person says of tasks that several labelled; one label each."""

from __future__ import annotations

from collections import defaultdict

import sqlalchemy as sa

from backend.pool.annotation import Annotation
from backend.pool.annotations import of_tasks
from backend.pool.database.engine import read
from backend.pool.database.tables import annotations as people


def shared_votes(engine: sa.Engine, project: int) -> dict[int, dict[int, str]]:
    """Label by person, by task, of all tasks on which at least two people left one label ticked; of each person's
    annotations the newest counts. Tasks with a ground truth need no votes, and are left out."""
    found = {}
    for task, rows in _shared(engine, project).items():
        said = _votes(rows)
        if len(said) > 1 and not any(row.ground_truth for row in rows):
            found[task] = said
    return found


def disputed(engine: sa.Engine, project: int, most: int) -> tuple[int, ...]:
    """The first tasks on which people left different labels ticked."""
    shared = sorted(_shared(engine, project).items())
    found = [task for task, rows in shared if len({frozenset(row.labels) for row in _newest(rows).values()}) > 1]
    return tuple(found[:most])


def _shared(engine: sa.Engine, project: int) -> dict[int, list[Annotation]]:
    """The annotations of the tasks that have several."""
    several = sa.select(people.c.task).where(people.c.project == project, people.c.state == "labelled")
    several = several.group_by(people.c.task).having(sa.func.count() > 1)
    with read(engine) as connection:
        ids = list(connection.scalars(several))
    return of_tasks(engine, project, ids) if ids else {}


def _votes(rows: list[Annotation]) -> dict[int, str]:
    return {who: row.labels[0] for who, row in _newest(rows).items() if len(row.labels) == 1}


def _newest(rows: list[Annotation]) -> dict[int, Annotation]:
    """What each person says now."""
    newest: dict[int, Annotation] = {}
    for row in rows:  # oldest first
        if row.annotator is not None and row.state in ("labelled", "deleted"):
            newest[row.annotator] = row
    return {who: row for who, row in newest.items() if row.state == "labelled"}


def against_others(votes: dict[int, dict[int, str]]) -> dict[int, tuple[int, int]]:
    """By person: how often they say what most of the others say, and of how many tasks; where others are split, none
    counts."""
    counts: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    for said in votes.values():
        for who, label in said.items():
            others = [one for other, one in said.items() if other != who]
            most = max(set(others), key=others.count)
            if sum(others.count(one) == others.count(most) for one in set(others)) == 1:
                counts[who][0] += label == most
                counts[who][1] += 1
    return {who: (agreed, number) for who, (agreed, number) in counts.items()}
