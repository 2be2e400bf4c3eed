"""What people were shown against what they then decided: accepted, narrowed, extended, corrected, or shown nothing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from backend.pool.comparable import Seen, comparable
from backend.pool.database.engine import read
from backend.pool.database.student_tables import predictions
from backend.pool.database.tables import annotations as people
from backend.pool.database.tables import candidate_sets
from backend.pool.figures import Checked, check_seen, labelled
from backend.pool.set_aside import is_blind
from backend.pool.standing import label_names, meaning, outdated
from backend.pool.version_names import is_teacher, is_trained


@dataclass(frozen=True)
class Reactions:
    """Numbers of tasks whose form was filled from a prediction, by what the person made of it.

    `accepted`: left as it was; `narrowed`: some of its labels removed; `extended`: labels added and none removed, which
    may be a forgotten tick; `corrected`: everything else.
    """

    accepted: int = 0
    narrowed: int = 0
    extended: int = 0
    corrected: int = 0

    @property
    def tasks(self) -> int:
        """All of them."""
        return self.accepted + self.narrowed + self.extended + self.corrected

    def share(self, number: int) -> float | None:
        """A number of tasks as a share of all; None before there is one."""
        return number / self.tasks if self.tasks else None


def reaction(shown: Sequence[str], decided: Sequence[str]) -> str:
    """The field of Reactions that a decision counts for."""
    before, after = set(shown), set(decided)
    if before == after:
        return "accepted"
    if after < before:
        return "narrowed"
    return "extended" if before < after else "corrected"


def reactions(engine: sa.Engine, project: int) -> dict[str, Reactions]:
    """What people made of answers of the `teacher` and of the `student`; the first annotation of each task counts."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for _, decided, shown, version in _first(engine, project):
        if shown:
            kind = "teacher" if is_teacher(version) else "student"
            counts[kind][reaction(shown, decided)] += 1
    return {kind: Reactions(**counts[kind]) for kind in ("teacher", "student")}


def blind_student(engine: sa.Engine, project: int, share: float) -> Checked:
    """Prequential accuracy on blind tasks, over all student versions.

    The prediction is the one that the served version had for the task, and that nobody saw.
    """
    seen = [row for row in _first(engine, project) if not row[2] and is_blind(project, row[0], share)]
    query = sa.select(predictions.c.task, predictions.c.version, predictions.c.label, predictions.c.labels)
    decided = sa.select(people.c.task).where(people.c.project == project, people.c.shown_labels.is_not(None))
    with read(engine) as connection:
        names = label_names(connection, project)
        here = (predictions.c.project == project, predictions.c.task.in_(decided), ~outdated(predictions))
        rows = connection.execute(query.where(*here))
        said = {(task, version): [label] if all_ is None else list(all_) for task, version, label, all_ in rows}
        ticks = meaning(connection, project)
    pairs = [(labels, said[task, version]) for task, labels, _, version in seen if (task, version) in said]
    rows_seen = [Seen(labels, shown, shown if ticks.several else None) for labels, shown in pairs]
    return check_seen([one for row in rows_seen if (one := comparable(ticks, names, row)) is not None])


def ticked_student(engine: sa.Engine, project: int) -> Checked:
    """Prequential accuracy where the student's answer was ticked, over all versions."""
    with read(engine) as connection:
        names, ticks = label_names(connection, project), meaning(connection, project)
    seen = [
        Seen(labels, ticked, ticked if ticks.several else None)
        for _, labels, ticked, version in _first(engine, project)
        if ticked and is_trained(version)
    ]
    return check_seen([one for row in seen if (one := comparable(ticks, names, row)) is not None])


def blind_teacher(engine: sa.Engine, project: int, version: str, share: float) -> Checked:
    """A teacher version's candidate sets against people who did not see any."""
    seen = {task: labels for task, labels, shown, _ in _first(engine, project) if not shown}
    query = sa.select(candidate_sets.c.task, candidate_sets.c.labels, candidate_sets.c.certain).where(
        candidate_sets.c.project == project,
        candidate_sets.c.version == version,
        candidate_sets.c.state.in_(("answered", "abstained")),
        ~outdated(candidate_sets),
    )
    decided = sa.select(people.c.task).where(people.c.project == project, people.c.shown_labels.is_not(None))
    with read(engine) as connection:
        names = label_names(connection, project)
        rows = connection.execute(query.where(candidate_sets.c.task.in_(decided)))
        sets = {task: (labels, certain) for task, labels, certain in rows}
        ticks = meaning(connection, project)
    judged = [task for task in seen if task in sets and is_blind(project, task, share)]
    rows_seen = [Seen(seen[task], sets[task][0], (sets[task][1] or []) if ticks.several else None) for task in judged]
    return check_seen([one for row in rows_seen if (one := comparable(ticks, names, row)) is not None])


def _first(engine: sa.Engine, project: int) -> Iterator[tuple[int, list[str], list[str], str]]:
    """(task, decided labels, shown labels, shown version) of each task's first annotation, before which nobody can have
    taught any version this task."""
    found: set[int] = set()
    with read(engine) as connection:
        query = (
            sa.select(people.c.task, people.c.labels, people.c.shown_labels, people.c.shown_version)
            .where(*labelled(project, meaning(connection, project)), people.c.shown_version.is_not(None))
            .order_by(people.c.shown_at, people.c.annotation)
        )
        for task, labels, shown, version in connection.execute(query):
            if task not in found:
                found.add(task)
                yield task, labels, shown or [], version
