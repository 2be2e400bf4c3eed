"""What a student leaves to the teacher, because too little is known, of it or by it: filled in from stored answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from backend.pool import candidates
from backend.pool.standing import about
from backend.projects.current import Current
from backend.serving.answers import StudentAnswer
from backend.training.promotion import ENOUGH
from model.group_answers import answer_of, asked, limited, within

if TYPE_CHECKING:
    from model.arrays import FloatArray
    from model.calibration import Calibration
    from model.groups import Group
    from model.labels import CandidateSet, LabelSpace


def completed(
    current: Current,
    thresholds: FloatArray | None,
    tasks: Sequence[tuple[int, str]],
    found: Sequence[StudentAnswer],
    *,
    judged: bool,
) -> list[StudentAnswer]:
    """A student's answers to `tasks` (id, hash of the text) with the teacher's where it has none of its own.

    Where answers are sets and the student was not `judged` on people's labels, nobody knows whether it is as good as
    its teacher on texts that it has not learned from; then what the teacher has said of such a task goes before it.
    """
    from model.decoding import left_open

    space = current.space
    groups = [group for group in space.groups if space.questions and left_open(group, thresholds)]
    if judged or not space.several:
        if not groups:
            return list(found)
    else:
        groups = list(space.groups)
    stored = candidates.read(current.engine, current.number, current.teacher_version, [task for task, _ in tasks])
    said = about(stored, dict(tasks))
    rows = []
    for (task, _), answer in zip(tasks, found, strict=False):
        taught = said[task].candidates if task in said else None
        rows.append(answer if taught is None else _with(space, answer, taught, groups))
    return rows


def is_judged(calibration: Calibration | None) -> bool:
    """Whether a version was judged on people's labels before it was served."""
    return calibration is not None and calibration.labels >= ENOUGH


def _with(space: LabelSpace, answer: StudentAnswer, taught: CandidateSet, groups: Sequence[Group]) -> StudentAnswer:
    """An answer with the teacher's to some questions, those that are not asked beside the others left out."""
    theirs = [
        group
        for place, group in enumerate(space.groups)
        if group in groups and (within(space, place, taught) is not None or not space.questions)
    ]
    others = [group for group in space.groups if group not in theirs]
    both = (*limited(space, answer.labels or (), others), *limited(space, answer_of(space, taught), theirs))
    kept = asked(space, both)
    labels = tuple(label for label in both if label in kept)
    return answer._replace(labels=labels, label=next(iter(labels), ""))
