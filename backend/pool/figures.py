"""What people's decisions say about teacher and students. Only rows that a person decided are read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from backend.pool.database.tables import annotations as people
from backend.pool.database.tables import candidate_sets
from backend.pool.versions import TRAINED


@dataclass(frozen=True)
class Checked:
    """How many tasks people checked, in how many of them the first label was theirs, and in how many any was."""

    tasks: int = 0
    top1: int = 0
    covered: int = 0

    @property
    def accuracy(self) -> float | None:
        """Share of tasks whose first label is the person's; None before anybody checked one."""
        return self.top1 / self.tasks if self.tasks else None

    @property
    def coverage(self) -> float | None:
        """Share of tasks whose candidates hold the person's label; None before anybody checked one."""
        return self.covered / self.tasks if self.tasks else None


def decided(engine: sa.Engine, project: int) -> int:
    """Number of tasks that somebody labelled (skips and empty submissions do not count)."""
    query = sa.select(sa.func.count(sa.distinct(people.c.task))).where(*labelled(project))
    with engine.connect() as connection:
        return int(connection.execute(query).scalar_one())


def teacher(engine: sa.Engine, project: int, version: str) -> Checked:
    """The teacher's candidate sets against people's final labels. The teacher never learns from these tasks."""
    same = (candidate_sets.c.project == people.c.project) & (candidate_sets.c.task == people.c.task)
    query = (
        sa.select(people.c.task, people.c.labels, candidate_sets.c.labels)
        .join(candidate_sets, same & (candidate_sets.c.version == version))
        .where(*labelled(project), candidate_sets.c.state != "unparsed")
        .order_by(people.c.updated_at)
    )
    with engine.connect() as connection:
        rows = {task: (labels, shown) for task, labels, shown in connection.execute(query)}
    return check(list(rows.values()))


def students(engine: sa.Engine, project: int) -> dict[str, Checked]:
    """Prequential figures per student version: what was shown before the person decided, so that nothing counts that
    the student had already learned from. Tasks that were shown without a ticked answer do not count."""
    query = (
        sa.select(people.c.task, people.c.labels, people.c.shown_labels, people.c.shown_version)
        .where(
            *labelled(project), sa.or_(*(people.c.shown_version.startswith(kind, autoescape=True) for kind in TRAINED))
        )
        .order_by(people.c.updated_at)
    )
    rows: dict[str, dict[int, tuple[Sequence[str], Sequence[str]]]] = defaultdict(dict)
    with engine.connect() as connection:
        for task, labels, shown, version in connection.execute(query):
            if shown:
                rows[version][task] = (labels, shown)
    return {version: check(list(pairs.values())) for version, pairs in rows.items()}


def labelled(project: int) -> tuple[sa.ColumnElement[bool], ...]:
    """The rows of `annotations` that hold a label: no skips, no empty submissions."""
    return people.c.project == project, people.c.state == "labelled"


def check(pairs: Sequence[tuple[Sequence[str], Sequence[str]]]) -> Checked:
    """Pairs of (what a person decided, what was predicted, the most likely first); narrowed decisions are left out."""
    final = [(labels[0], shown) for labels, shown in pairs if len(labels) == 1]
    top1 = sum(bool(shown) and shown[0] == label for label, shown in final)
    return Checked(len(final), top1, sum(label in shown for label, shown in final))
