"""What was predicted beside what people decided, task by task: for confusions, tables per label and examples."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import sqlalchemy as sa

from backend.pool.database.engine import read
from backend.pool.database.tables import annotations as people
from backend.pool.database.tables import candidate_sets
from backend.pool.versions import is_trained


class Pair(NamedTuple):
    """One task with one final label: the person's, and what was predicted (most likely first; never empty)."""

    task: int
    label: str
    predicted: tuple[str, ...]


def of_students(engine: sa.Engine, project: int) -> list[Pair]:
    """What a student had ticked when the person decided, over all versions; only each task's first decision counts,
    before which no version can have learned this task."""
    found: dict[int, Pair] = {}
    for task, labels, shown, version in _decided(engine, project):
        if task not in found and version and is_trained(version) and shown and len(labels) == 1:
            found[task] = Pair(task, labels[0], tuple(shown))
    return list(found.values())


def of_teacher(engine: sa.Engine, project: int, version: str) -> list[Pair]:
    """The candidate sets of a teacher version beside the newest final label of each task. It never learns from them."""
    query = sa.select(candidate_sets.c.task, candidate_sets.c.labels).where(
        candidate_sets.c.project == project, candidate_sets.c.version == version, candidate_sets.c.state == "answered"
    )
    decided = sa.select(people.c.task).where(people.c.project == project, people.c.state == "labelled")
    with read(engine) as connection:
        rows = connection.execute(query.where(candidate_sets.c.task.in_(decided)))
        sets = {task: tuple(labels) for task, labels in rows}
    final = {task: labels for task, labels, _, _ in _decided(engine, project)}
    return [Pair(task, labels[0], sets[task]) for task, labels in final.items() if len(labels) == 1 and sets.get(task)]


def _decided(engine: sa.Engine, project: int) -> Iterator[tuple[int, list[str], list[str] | None, str | None]]:
    """(task, decided labels, shown labels, shown version), oldest first."""
    query = (
        sa.select(people.c.task, people.c.labels, people.c.shown_labels, people.c.shown_version)
        .where(people.c.project == project, people.c.state == "labelled")
        .order_by(people.c.updated_at, people.c.annotation)
    )
    with read(engine) as connection:
        yield from [tuple(row) for row in connection.execute(query)]
