"""How relevant a student finds each document to its query: what ranks them, in Label Studio and in the export."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

from backend.pool import relevances
from backend.training.encoder import encoder_of

if TYPE_CHECKING:
    from backend.projects.job import Job
    from model.arrays import Embed, FloatArray
    from model.student.head import HeadStudent
    from model.student.student import Student

CHUNK = 2000  # tasks at once


def answered(student: Student, texts: Sequence[str], embed: Embed) -> tuple[FloatArray, list[float | None]]:
    """A student's probabilities `(n, C)`, and in [0, 1] what ranks each text; None where tasks share no query."""
    from model.pair_views import likeness
    from model.ranking import relevances as scaled

    view = getattr(student, "view", None)
    if view is None or not view.pair.searches or student.space.several or not texts:
        return student.probabilities(texts, embed), [None] * len(texts)
    head, seen = cast("HeadStudent", student), once(encoder_of(student, embed))
    shares = head.of_texts(texts, seen)
    return shares, [float(one) for one in scaled(view, likeness(view, texts, seen), shares)]


def once(embed: Embed) -> Embed:
    """The same, which encodes the texts of its last call only once: the web process keeps no vectors."""
    last: list[tuple[list[str], FloatArray]] = []

    def found(texts: Sequence[str]) -> FloatArray:
        if not last or last[0][0] != list(texts):
            last[:] = [(list(texts), embed(texts))]
        return last[0][1]

    return found


def keep(job: Job, version: str, student: Student, texts: Mapping[int, str], embed: Embed) -> None:
    """Store it of all these tasks (task: text), decided or not, before the version is served."""
    if job.current.pair is None or not job.current.pair.searches:
        return
    ids = list(texts)
    for start in range(0, len(ids), CHUNK):
        part = ids[start : start + CHUNK]
        _, found = answered(student, [texts[task] for task in part], embed)
        scores = {task: one for task, one in zip(part, found, strict=True) if one is not None}
        relevances.save(job.services.engine, job.number, version, scores)
