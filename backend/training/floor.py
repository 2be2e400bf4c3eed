"""A floor under a fresh student: on human labels that nothing has learned from, it must not be worse than the same head
trained on people's labels alone, nor than their commonest label (of levels the median) given to every task, beyond
noise; else the better of these takes its place.

Training has a floor of its own (`model.weak.floor`), judged by cross-fitting on labels that were learned; this one
looks at what would really be served.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import structlog

from backend.training.promotion import ENOUGH, worse

if TYPE_CHECKING:
    from model.arrays import Embed, IntArray, Stop
    from model.student.adapted import AdaptedEncoder
    from model.student.student import Student
    from model.training.data import TrainingData
    from model.training.options import TrainingOptions, TrainingReport

log = structlog.get_logger(__name__)

PEOPLE, COMMONEST = "people alone", "commonest label"  # where both are right equally often, the first


def floored(
    student: Student,
    report: TrainingReport,
    data: TrainingData,
    judges: Mapping[str, str],
    how: TrainingOptions,
    embed: Embed,
    own: AdaptedEncoder | None = None,
    stop: Stop | None = None,
) -> Student:
    """The student, or that rival which is right more often on `judges` (text -> label, not learned from) beyond chance;
    the report then says so.

    Nothing is compared with fewer than 20 labels on either side, where these labels are set aside as no sample of the
    pool, or where the encoder was fine-tuned.
    """
    import numpy as np

    from model.decoding import chosen

    decided = data.decided
    labels = data.candidates[decided].argmax(1)
    aside = report.found.get("set_aside") or not report.found.get("human_labels_representative", True)
    if how.method != "shortlist" or report.way == "finetune" or aside:
        return student
    if len(judges) < ENOUGH or len(labels) < ENOUGH or decided.all():
        return student
    rivals = {COMMONEST: _commonest(student, labels, how, embed(list(judges)[:1]).shape[1])}
    if len(set(labels.tolist())) > 1:
        rivals = {PEOPLE: _people_alone(student, data, how, embed, own, stop), **rivals}
    hits = partial(_hits, judges=judges, embed=embed)
    right = {name: hits(one) for name, one in rivals.items()}
    best, mine = max(right, key=lambda name: len(right[name])), hits(student)
    taken = best if worse(mine, right[best]) else ""
    counts = {name: len(one) for name, one in right.items()}
    report.found["held_out_floor"] = {"labels": len(judges), "right": len(mine), "rivals": counts, "taken": taken}
    if not taken:
        return student
    log.warning("student_below_floor", labels=len(judges), right=len(mine), rivals=counts, taken=taken)
    shares = np.bincount(labels, minlength=len(student.space))[None, :].astype(np.float32)
    commonest = student.space.names[int(chosen(student.space.answer, shares)[0])]
    report.warnings.append(_sentence(taken, commonest, len(mine), counts[taken], len(judges)))
    return rivals[taken]


def _people_alone(
    student: Student,
    data: TrainingData,
    how: TrainingOptions,
    embed: Embed,
    own: AdaptedEncoder | None,
    stop: Stop | None,
) -> Student:
    from model.train import train_student

    people = replace(data.rows(data.decided), confidences=None, proposed=None, top=None)
    return train_student(student.space, people, replace(how, method="gold"), embed, None, stop, own)[0]


def _commonest(student: Student, labels: IntArray, how: TrainingOptions, width: int) -> Student:
    """Answers every text with the frequencies of people's labels, so that the commonest one is its label."""
    import numpy as np

    from model.student.head import constant_head

    counts = np.bincount(labels, minlength=len(student.space)) + 1.0
    return constant_head(student.space, how.encoder, counts / counts.sum(), width, how.runtime)


def _hits(student: Student, judges: Mapping[str, str], embed: Embed) -> set[int]:
    from model.decoding import chosen

    texts = list(judges)
    said = chosen(student.space.answer, student.probabilities(texts, embed))
    return {place for place, text in enumerate(texts) if student.space.names[said[place]] == judges[text]}


def _sentence(taken: str, commonest: str, mine: int, theirs: int, labels: int) -> str:
    if taken == PEOPLE:
        return (
            f"what the teacher says did not help: a student of people's labels alone is right on {theirs} of {labels} "
            f"human labels kept for testing, with the teacher on {mine}; the first one is served"
        )
    return (
        f"{commonest!r}, given to every task, is right on {theirs} of {labels} human labels kept for testing, the "
        f"student on {mine}: until there are more labels {commonest!r} is served for all. Tasks with other labels "
        "teach the student most"
    )
