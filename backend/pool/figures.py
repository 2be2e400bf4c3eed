"""What people's decisions say about teacher and students. Only rows that a person decided are read."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import sqlalchemy as sa

from backend.pool.annotation import ONE, Meaning
from backend.pool.comparable import Seen, comparable
from backend.pool.database.engine import read
from backend.pool.database.student_tables import predictions
from backend.pool.database.tables import annotations as people
from backend.pool.database.tables import candidate_sets
from backend.pool.standing import known, label_names, meaning, outdated
from backend.pool.version_names import TRAINED, is_trained

MOST_NAMED = 10  # labels that are listed by name


@dataclass(frozen=True)
class Checked:
    """How many tasks people checked, in how many of them the first label was theirs, and in how many any was.

    Where several labels may be right: in how many all that was certain was just theirs, and in how many all of theirs
    were among what was possible.
    """

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
    with engine.connect() as connection:
        here = labelled(project, meaning(connection, project))
        query = sa.select(sa.func.count(sa.distinct(people.c.task))).where(*here)
        return int(connection.execute(query).scalar_one())


@dataclass(frozen=True)
class Unknown:
    """How many annotations have labels that there are not, and which: the most frequent names with their number."""

    annotations: int
    labels: dict[str, int]


def unknown_labels(engine: sa.Engine, project: int, names: Collection[str]) -> Unknown:
    """Of what people ticked, the labels that were not in the label config when it was read, or are not in `names`, the
    present ones."""
    labels, unknown = sa.cast(people.c.labels, sa.Text), sa.cast(people.c.unknown, sa.Text)
    query = (
        sa.select(labels, unknown, sa.func.count())
        .where(people.c.project == project, people.c.state.in_(("labelled", "empty")))
        .group_by(labels, unknown)
    )
    annotations, found = 0, Counter[str]()
    with engine.connect() as connection:
        for known, dropped, number in connection.execute(query):
            missing = {*json.loads(dropped), *json.loads(known)} - set(names)
            annotations += number * bool(missing)
            found.update(dict.fromkeys(missing, number))
    return Unknown(annotations, dict(found.most_common(MOST_NAMED)))


def teacher(engine: sa.Engine, project: int, version: str) -> Checked:
    """The teacher's candidate sets against people's final labels. The teacher never learns from these tasks."""
    return check_seen(list(teacher_sets(engine, project, version).values()))


def teacher_sets(engine: sa.Engine, project: int, version: str) -> dict[int, Seen]:
    """The newest decision about each task that a teacher version was asked about, abstentions included, by task."""
    same = (candidate_sets.c.project == people.c.project) & (candidate_sets.c.task == people.c.task)
    with engine.connect() as connection:
        names, ticks = label_names(connection, project), meaning(connection, project)
        query = (
            sa.select(people.c.task, people.c.labels, candidate_sets.c.labels, candidate_sets.c.certain)
            .join(candidate_sets, same & (candidate_sets.c.version == version))
            .where(*labelled(project, ticks), candidate_sets.c.state.in_(("answered", "abstained")))
            .where(~outdated(candidate_sets))
            .order_by(people.c.updated_at)
        )
        rows = connection.execute(query)
        seen = {
            task: Seen(labels, shown, (certain or []) if ticks.several else None)
            for task, labels, shown, certain in rows
        }
    found = {task: comparable(ticks, names, one) for task, one in seen.items()}
    return {task: one for task, one in found.items() if one is not None}


def students(engine: sa.Engine, project: int) -> dict[str, Checked]:
    """Prequential figures per student version: what was shown before the person decided, so that nothing counts that
    the student had already learned from. Tasks that were shown without a ticked answer do not count."""
    rows: dict[str, dict[int, Seen]] = defaultdict(dict)
    with engine.connect() as connection:
        ticks = meaning(connection, project)
        query = (
            sa.select(people.c.task, people.c.labels, people.c.shown_labels, people.c.shown_version)
            .where(*labelled(project, ticks))
            .where(sa.or_(*(people.c.shown_version.startswith(kind, autoescape=True) for kind in TRAINED)))
            .order_by(people.c.updated_at)
        )
        for task, labels, shown, version in connection.execute(query):
            seen = comparable(ticks, None, Seen(labels, shown, shown if ticks.several else None)) if shown else None
            if seen is not None:
                rows[version][task] = seen
    return {version: check_seen(list(found.values())) for version, found in rows.items()}


def check_seen(rows: Sequence[Seen]) -> Checked:
    """As `check`, for decisions beside answers of one project."""
    pairs = [(one.decided, one.shown) for one in rows]
    certain = [one.certain for one in rows if one.certain is not None]
    return check(pairs, certain if rows and len(certain) == len(rows) else None)


def labelled(project: int, ticks: Meaning = ONE) -> tuple[sa.ColumnElement[bool], ...]:
    """The rows of `annotations` that are an answer: no skips, no empty submissions but where none may be right."""
    if not ticks.with_none:
        return people.c.project == project, people.c.state == "labelled"
    empty = sa.and_(people.c.state == "empty", sa.cast(people.c.unknown, sa.Text) == "[]")
    return people.c.project == project, sa.or_(people.c.state == "labelled", empty)


def check(
    pairs: Sequence[tuple[Sequence[str], Sequence[str]]], certain: Sequence[Collection[str]] | None = None
) -> Checked:
    """Pairs of (what a person decided, what was predicted, the most likely first); narrowed decisions are left out.

    Where several labels may be right, `certain` is what of each prediction is, and every decision is final.
    """
    if certain is not None:
        exact = sum(set(labels) == set(sure) for (labels, _), sure in zip(pairs, certain, strict=True))
        return Checked(len(pairs), exact, sum(set(labels) <= set(shown) for labels, shown in pairs))
    final = [(labels[0], shown) for labels, shown in pairs if len(labels) == 1]
    top1 = sum(bool(shown) and shown[0] == label for label, shown in final)
    return Checked(len(final), top1, sum(label in shown for label, shown in final))


def size_counts(engine: sa.Engine, project: int, version: str) -> tuple[tuple[int, int], ...]:
    """(size, how many candidate sets of the version have it), smallest first."""
    here = (candidate_sets.c.project == project, candidate_sets.c.version == version)
    query = (
        sa.select(candidate_sets.c.size, sa.func.count())
        .where(*here, candidate_sets.c.state == "answered", ~outdated(candidate_sets))
        .group_by(candidate_sets.c.size)
        .order_by(candidate_sets.c.size)
    )
    with read(engine) as connection:
        return tuple((int(size), int(count)) for size, count in connection.execute(query))


def answered_sets(
    engine: sa.Engine, project: int, version: str, ids: list[int]
) -> dict[int, tuple[list[str], list[float]]]:
    """(labels, confidences) of those tasks between the first and the last of the sorted `ids` whose present text the
    version was asked about."""
    table = candidate_sets
    here = (table.c.project == project, table.c.version == version, table.c.task.between(ids[0], ids[-1]))
    query = sa.select(table.c.task, table.c.labels, table.c.confidences).where(
        *here, table.c.state == "answered", ~outdated(table)
    )
    with read(engine) as connection:
        return {task: (list(labels), list(shares)) for task, labels, shares in connection.execute(query)}


def predicted_labels(engine: sa.Engine, project: int, version: str, ids: list[int]) -> dict[int, tuple[str, float]]:
    """(label, score) of those tasks between the first and the last of the sorted `ids` whose present text the version
    was applied to."""
    table = predictions
    here = (table.c.project == project, table.c.version == version, table.c.task.between(ids[0], ids[-1]))
    with read(engine) as connection:
        found = connection.execute(sa.select(table.c.task, table.c.label, table.c.score).where(*here, ~outdated(table)))
        return {task: (str(label), float(score)) for task, label, score in found}


class Pair(NamedTuple):
    """One task with one final label: the person's, and what was predicted (most likely first; never empty)."""

    task: int
    label: str
    predicted: tuple[str, ...]


def of_students(engine: sa.Engine, project: int) -> list[Pair]:
    """What a student had ticked when the person decided, over all versions; only each task's first decision counts,
    before which no version can have learned this task. Left out are texts that were edited since, which the answer is
    not about, and labels that there are no more."""
    found: dict[int, Pair] = {}
    edited, names = _edited(engine, project)
    for task, labels, shown, version in _decided(engine, project):
        if (task, version) in edited or not known([*labels, *(shown or ())], names):
            continue
        if task not in found and version and is_trained(version) and shown and len(labels) == 1:
            found[task] = Pair(task, labels[0], tuple(shown))
    return list(found.values())


def sets_of_students(engine: sa.Engine, project: int) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """As `of_students`, where an answer is a set of labels: (decided, ticked) of each task, both maybe many. What was
    shown without a tick is left out: that may have been a blind task."""
    found: dict[int, tuple[tuple[str, ...], tuple[str, ...]]] = {}
    edited, names = _edited(engine, project)
    with read(engine) as connection:
        ticks = meaning(connection, project)
    for task, labels, shown, version in _decided(engine, project, ticks):
        if (task, version) in edited or task in found or not (version and is_trained(version) and shown):
            continue
        seen = comparable(ticks, names, Seen(labels, shown, shown))
        if seen is not None and known(seen.shown, names):
            found[task] = tuple(seen.decided), tuple(seen.certain or ())
    return list(found.values())


def of_teacher(engine: sa.Engine, project: int, version: str) -> list[Pair]:
    """The candidate sets of a teacher version beside the newest final label of each task. It never learns from them."""
    here = (candidate_sets.c.project == project, candidate_sets.c.version == version, ~outdated(candidate_sets))
    query = sa.select(candidate_sets.c.task, candidate_sets.c.labels).where(*here, candidate_sets.c.state == "answered")
    decided = sa.select(people.c.task).where(people.c.project == project, people.c.state == "labelled")
    with read(engine) as connection:
        names = label_names(connection, project)
        rows = connection.execute(query.where(candidate_sets.c.task.in_(decided)))
        sets = {task: tuple(labels) for task, labels in rows}
    final = {task: labels for task, labels, _, _ in _decided(engine, project) if known(labels, names)}
    return [Pair(task, labels[0], sets[task]) for task, labels in final.items() if len(labels) == 1 and sets.get(task)]


def _edited(engine: sa.Engine, project: int) -> tuple[set[tuple[int, str]], frozenset[str] | None]:
    """(task, version) of predictions about texts that were edited since, for tasks that people decided; and the labels
    that there are."""
    decided = sa.select(people.c.task).where(*labelled(project))
    here = (predictions.c.project == project, predictions.c.task.in_(decided), outdated(predictions))
    with read(engine) as connection:
        rows = connection.execute(sa.select(predictions.c.task, predictions.c.version).where(*here))
        return {(task, version) for task, version in rows}, label_names(connection, project)


def _decided(
    engine: sa.Engine, project: int, ticks: Meaning = ONE
) -> Iterator[tuple[int, list[str], list[str] | None, str | None]]:
    """(task, decided labels, shown labels, shown version), oldest first."""
    query = (
        sa.select(people.c.task, people.c.labels, people.c.shown_labels, people.c.shown_version)
        .where(*labelled(project, ticks))
        .order_by(people.c.updated_at, people.c.annotation)
    )
    with read(engine) as connection:
        yield from [tuple(row) for row in connection.execute(query)]


def shared_labels(engine: sa.Engine, project: int) -> list[list[frozenset[str]]]:
    """The labels of each task that more than one annotation labels; of each person's the newest counts."""
    several = sa.select(people.c.task).where(people.c.project == project, people.c.state == "labelled")
    several = several.group_by(people.c.task).having(sa.func.count() > 1)
    query = (
        sa.select(people.c.task, people.c.annotation, people.c.annotator, people.c.labels)
        .where(people.c.project == project, people.c.state == "labelled", people.c.task.in_(several))
        .order_by(people.c.updated_at, people.c.annotation)
    )
    voices: dict[int, dict[tuple[bool, int], frozenset[str]]] = {}
    with read(engine) as connection:
        for task, annotation, annotator, labels in connection.execute(query):
            who = (True, annotator) if annotator is not None else (False, annotation)
            voices.setdefault(task, {})[who] = frozenset(labels)
    return [list(one.values()) for one in voices.values()]
