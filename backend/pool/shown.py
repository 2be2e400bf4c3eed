"""What people were shown against what they then decided: accepted, narrowed, extended, corrected, or shown nothing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from backend.pool.database.engine import read
from backend.pool.database.student_tables import predictions
from backend.pool.database.tables import annotations as people
from backend.pool.database.tables import candidate_sets
from backend.pool.figures import Checked, check
from backend.pool.set_aside import is_blind
from backend.pool.standing import known, label_names, outdated
from backend.pool.version_names import is_teacher


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
    query = sa.select(predictions.c.task, predictions.c.version, predictions.c.label)
    decided = sa.select(people.c.task).where(people.c.project == project, people.c.shown_labels.is_not(None))
    with read(engine) as connection:
        names = label_names(connection, project)
        here = (predictions.c.project == project, predictions.c.task.in_(decided), ~outdated(predictions))
        rows = connection.execute(query.where(*here))
        said = {(task, version): label for task, version, label in rows}
    pairs = [(labels, [said[task, version]]) for task, labels, _, version in seen if (task, version) in said]
    return check([pair for pair in pairs if known(pair[0], names)])


def blind_teacher(engine: sa.Engine, project: int, version: str, share: float) -> Checked:
    """A teacher version's candidate sets against people who did not see any."""
    seen = {task: labels for task, labels, shown, _ in _first(engine, project) if not shown}
    query = sa.select(candidate_sets.c.task, candidate_sets.c.labels).where(
        candidate_sets.c.project == project,
        candidate_sets.c.version == version,
        candidate_sets.c.state.in_(("answered", "abstained")),
        ~outdated(candidate_sets),
    )
    decided = sa.select(people.c.task).where(people.c.project == project, people.c.shown_labels.is_not(None))
    with read(engine) as connection:
        names = label_names(connection, project)
        rows = connection.execute(query.where(candidate_sets.c.task.in_(decided)))
        sets = {task: labels for task, labels in rows}  # noqa: C416 (rows are no tuples for mypy)
    judged = [task for task in seen if task in sets and known(seen[task], names) and is_blind(project, task, share)]
    return check([(seen[task], sets[task]) for task in judged])


def _first(engine: sa.Engine, project: int) -> Iterator[tuple[int, list[str], list[str], str]]:
    """(task, decided labels, shown labels, shown version) of each task's first annotation, before which nobody can have
    taught any version this task."""
    query = (
        sa.select(people.c.task, people.c.labels, people.c.shown_labels, people.c.shown_version)
        .where(people.c.project == project, people.c.state == "labelled", people.c.shown_version.is_not(None))
        .order_by(people.c.shown_at, people.c.annotation)
    )
    found: set[int] = set()
    with read(engine) as connection:
        for task, labels, shown, version in connection.execute(query):
            if task not in found:
                found.add(task)
                yield task, labels, shown or [], version
