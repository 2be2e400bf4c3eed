"""Judge and calibrate a fresh student: on human labels that it never saw, and on a sample of the pool."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

import structlog

from backend.pool.set_aside import held_out_tasks
from backend.pool.version_names import is_trained
from backend.projects.job import Job
from backend.training.cross_encoder import remembering
from backend.training.encoder import compared_by, encoder_of
from backend.training.promotion import Reference, Said, Verdict, judge
from backend.training.ranking import ranked
from backend.training.snapshot import Snapshot
from model.errors import ArtifactError
from model.labels import LabelSpace
from model.set_evaluation import ordered_figures

if TYPE_CHECKING:
    from model.arrays import Embed, FloatArray, IntArray
    from model.calibration import Calibration
    from model.student.student import Student
    from model.weak.representative import Likeness

log = structlog.get_logger(__name__)

SAMPLE = 1_000  # tasks of the pool that a new version and the served one are asked about
COMPARED = 5_000  # tasks of the pool with which the decided ones are compared


def judged(
    job: Job, snapshot: Snapshot, student: Student, truth: Mapping[int, str], embed: Embed
) -> tuple[Verdict, Calibration, dict[str, Any]]:
    """The verdict, what may be promised about the student, and the figures that the version keeps.

    The student's temperature is set to the fitted one. `truth` are the held-out human labels. Those of tasks that
    scores chose compare two students, but say nothing of the pool: how often one is right, or what it may promise.
    """
    like = likeness_of(snapshot, compared_by(job.current) if job.current.pair else embed)
    people = [label.labels[0] for task, label in snapshot.labels.items() if snapshot.final(task)]
    asked = _spread([task for task in snapshot.sets if task in snapshot.texts], SAMPLE)
    levels = snapshot.space.names if snapshot.space.answer == "ordered" else ()
    reference = Reference({task: snapshot.sets[task].labels for task in asked}, people, like.sentence(), levels)
    new = Said("it", _labels(student, snapshot, truth, embed), _labels(student, snapshot, asked, embed))
    verdict = judge(truth, new, _served(job, snapshot, truth, asked, embed), reference)
    drawn = {task: label for task, label in truth.items() if snapshot.propensities.get(task) != 0.0}
    found = calibrated(job, snapshot, student, drawn, embed, like)
    right = sum(new.held_out[task] == label for task, label in drawn.items())
    figures: dict[str, Any] = {"held_out": len(truth), "held_out_accuracy": right / len(drawn) if drawn else None}
    if levels:
        pairs = [(levels.index(new.held_out[task]), levels.index(label)) for task, label in drawn.items()]
        figures |= ordered_figures([said for said, _ in pairs], [true for _, true in pairs], len(levels))
    shares = _probabilities(student, snapshot, drawn, embed)
    figures |= ranked(job.current, snapshot, drawn, shares, getattr(student, "view", None), encoder_of(student, embed))
    return verdict, found, {**figures, "likeness": like.to_json(), "calibration": found.to_json()}


def kept_for_judging(job: Job, snapshot: Snapshot, draw: Callable[[int, int], bool]) -> set[int]:
    """The tasks whose human label no student learns from: a `draw` by project and task; texts that read nearly the same
    go together."""
    decided = {task: text for task, text in snapshot.texts.items() if snapshot.final(task)}
    vectors = compared_by(job.current)(list(decided.values())) if 1 < len(decided) <= COMPARED else None
    return held_out_tasks(job.number, decided, vectors, draw, snapshot.pair)


def likeness_of(snapshot: Snapshot, embed: Embed) -> Likeness:
    """Whether all that people decided, held out or not, looks like a sample of the pool; the training's own check.

    Tasks of which the pool knows how people came to them are not asked about.
    """
    import numpy as np

    from model.weak.representative import Likeness, likeness

    answered = [task for task in snapshot.sets if task in snapshot.texts]
    decided = [task for task in answered if snapshot.final(task) and task not in snapshot.propensities]
    if not decided:
        return Likeness(0)
    firsts = np.array([snapshot.space.index(snapshot.sets[task].top) for task in answered], np.int64)
    places = {task: place for place, task in enumerate(answered)}
    by_answers = likeness(firsts, np.array([places[task] for task in decided], np.int64))
    drawn = set(_spread(answered, COMPARED))  # of very many tasks, a part is embedded; and the decided ones of that
    some = [task for task in answered if task in drawn]
    known = set(decided)
    rows = np.array([place for place, task in enumerate(some) if task in known], np.int64)
    by_texts = likeness(np.zeros(len(some), np.int64), rows, embed([snapshot.texts[task] for task in some]))
    return min(by_answers, by_texts, key=lambda one: (one.fair, one.chance))


def calibrated(
    job: Job, snapshot: Snapshot, student: Student, truth: Mapping[int, str], embed: Embed, like: Likeness
) -> Calibration:
    """Temperature and thresholds from the held-out labels; a note instead where they are too few or no sample.

    Held-out labels alone are used: labels that were learned from would promise too much.
    """
    from model.calibration import Calibration, calibrate
    from model.text_groups import text_groups

    options = job.current.options
    if not like.fair:
        return Calibration(1.0, options.COVERAGE, len(truth), None, (), like.sentence(), options.COVERAGE_PER_CLASS)
    _, labels = _columns(snapshot.space, truth)
    groups = text_groups([snapshot.texts[task] for task in truth], None, snapshot.pair)
    shares = _probabilities(student, snapshot, truth, embed)
    own = student.kind != "committee"  # a committee's pooling has been fitted to people's labels already
    found = calibrate(shares, labels, options.COVERAGE, options.COVERAGE_PER_CLASS, own, groups)
    if own:
        student.temperature = found.temperature
    return found


def _columns(space: LabelSpace, labels: Mapping[int, str]) -> tuple[IntArray, IntArray]:
    """Keys and label numbers."""
    import numpy as np

    columns = [space.index(label) for label in labels.values()]
    return np.array(list(labels), np.int64), np.array(columns, np.int64)


def _spread(ids: Collection[int], most: int) -> list[int]:
    """At most so many of the ids, evenly spread in their order."""
    ordered = sorted(ids)
    step = max(1, -(-len(ordered) // most))
    return ordered[::step]


def _served(
    job: Job, snapshot: Snapshot, truth: Mapping[int, str], asked: Collection[int], embed: Embed
) -> Said | None:
    """What is served now: the promoted student, or the teacher's first candidate; None if it cannot be loaded."""
    from model.loading import load_version

    version = job.current.served_version
    if not is_trained(version):
        return Said("the teacher", {task: snapshot.sets[task].top for task in truth if task in snapshot.sets})
    try:
        stored = load_version(job.services.registry.fetch(job.number, version))
        student = remembering(job.services.settings.cache_dir, stored)
    except ArtifactError as error:
        log.error("the served version cannot be compared with", version=version, reason=str(error))
        return None
    return Said(version, _labels(student, snapshot, truth, embed), _labels(student, snapshot, asked, embed))


def _probabilities(student: Student, snapshot: Snapshot, ids: Collection[int], embed: Embed) -> FloatArray:
    import numpy as np

    if not ids:
        return np.zeros((0, len(student.space)), np.float32)
    return student.probabilities([snapshot.texts[task] for task in ids], embed)


def _labels(student: Student, snapshot: Snapshot, ids: Collection[int], embed: Embed) -> dict[int, str]:
    from model.decoding import chosen

    best = chosen(student.space.answer, _probabilities(student, snapshot, ids, embed))
    return {task: student.space.names[column] for task, column in zip(ids, best, strict=True)}
