"""A student's answers, the same for jobs and the web process: from probabilities, stored, turned into entries."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from backend.label_studio.control import Control
from backend.label_studio.predictions import set_entry
from backend.pool import predictions, relevances
from backend.pool.set_aside import is_blind
from backend.project_options import ProjectOptions
from backend.services import Services
from backend.serving import score_column, unsure

if TYPE_CHECKING:
    from model.arrays import FloatArray
    from model.calibration import Calibration
    from model.labels import CandidateSet, LabelSpace


class StudentAnswer(NamedTuple):
    """What a student says about one text."""

    label: str
    score: float  # probability of the label
    lead: float  # over the second label
    shortlist: CandidateSet | None = None  # where the student is unsure and its version promises a coverage
    labels: tuple[str, ...] | None = None  # all that it ticks, where several may be right at once
    relevance: float | None = None  # of a document to its query

    def entry(self, control: Control, version: str, options: ProjectOptions) -> dict[str, Any]:
        """The entry for Label Studio."""
        score = score_column.of_answer(options, self.score, self.lead, self.relevance)
        if self.labels is not None:
            return set_entry(control, version, self.labels, score)
        return unsure.student_entry(control, version, options, self.label, score, self.shortlist)


def answers(
    space: LabelSpace, probabilities: FloatArray, calibration: Calibration | None, thresholds: FloatArray | None = None
) -> list[StudentAnswer]:
    """One answer per row of calibrated probabilities `(n, C)`; `thresholds` where several labels may be right."""
    if not len(probabilities):
        return []
    if space.several:
        return _sets(space, probabilities, thresholds)
    from model.decoding import chosen

    columns, leads = chosen(space.answer, probabilities), score_column.leads(probabilities)
    lists = unsure.lists(calibration, space, probabilities)
    return [
        StudentAnswer(space.names[column], float(row[column]), lead, found)
        for row, column, lead, found in zip(probabilities, columns, leads, lists, strict=True)
    ]


def _sets(space: LabelSpace, probabilities: FloatArray, thresholds: FloatArray | None) -> list[StudentAnswer]:
    """Where several labels may be right: all that are ticked, how good that is expected to be, and how far the least
    decided label is from its threshold. There is no shortlist: what is unsure is not ticked."""
    from model.decoding import closest, expected_right, ticked

    found = ticked(space, probabilities, thresholds)
    scores = expected_right(space, probabilities, found, thresholds)
    leads = score_column.leads(closest(space, probabilities, thresholds))
    order = (-probabilities).argsort(axis=1, kind="stable")
    return [
        StudentAnswer(next(iter(labels), ""), float(score), lead, None, labels)
        for score, lead, labels in zip(
            scores,
            leads,
            (tuple(space.names[one] for one in ranks if row[one]) for row, ranks in zip(found, order, strict=True)),
            strict=True,
        )
    ]


def save(
    services: Services,
    project: int,
    version: str,
    options: ProjectOptions,
    rows: Iterable[tuple[int, str, StudentAnswer]],
) -> None:
    """Store (task, hash of its text, answer); the label comes last, because what has one is published."""
    rows = list(rows)
    score_column.keep(services, project, version, options, [(task, found.lead) for task, _, found in rows])
    unsure.keep(services, project, version, options, {task: found.shortlist for task, _, found in rows})
    relevant = {task: one.relevance for task, _, one in rows if one.relevance is not None}
    relevances.save(services.engine, project, version, relevant)
    plain = [(task, key, one.label, one.score) for task, key, one in rows]
    sets = {task: one.labels for task, _, one in rows if one.labels is not None}
    predictions.save(services.engine, project, version, plain, sets)


def stored(
    services: Services,
    project: int,
    version: str,
    options: ProjectOptions,
    tasks: Collection[int],
    several: bool = False,
) -> dict[int, tuple[str, StudentAnswer]]:
    """{task: (hash of its text, answer)} of those of the tasks that the version has answered; `several` labels may be
    right at once."""
    known = predictions.read(services.engine, project, version, tasks)
    leads = score_column.stored(services, project, version, options, list(known))
    lists = unsure.stored(services, project, version, options, list(known))
    sets = predictions.several(services.engine, project, version, list(known)) if several else {}
    ranks = relevances.read(services.engine, project, version, list(known)) if score_column.ranks(options) else {}
    return {
        task: (
            key,
            StudentAnswer(label, score, leads.get(task, score), lists.get(task), sets.get(task), ranks.get(task)),
        )
        for task, (key, label, score) in known.items()
    }


def hide(entries: Mapping[int, dict[str, Any]], project: int, share: float) -> dict[int, dict[str, Any]]:
    """Entries by task as they are shown: those of blind tasks lose their result and keep version and score."""
    if share <= 0:
        return dict(entries)
    return {
        task: {**entry, "result": []} if is_blind(project, task, share) else entry for task, entry in entries.items()
    }
