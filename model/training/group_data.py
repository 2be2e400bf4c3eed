"""What is known about each question of a label space: rows and labels of its own, as if it were the only question."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.arrays import BoolArray, IntArray
from model.groups import Group
from model.labels import LabelSpace
from model.training.data import TrainingData


@dataclass(frozen=True)
class GroupData:
    """One question: `rows` of the whole data about which a teacher or people have said something, and what."""

    group: Group
    space: LabelSpace
    rows: IntArray
    data: TrainingData

    @property
    def enough(self) -> bool:
        """Whether it can be learned: two rows at least, and where one label is right two labels, else one."""
        labels = int(self.data.candidates.any(0).sum())
        return len(self.rows) > 1 and labels > (0 if self.group.kind == "any" else 1)


def group_data(space: LabelSpace, data: TrainingData) -> list[GroupData]:
    """The data of every question, in order; of one question all of it.

    Of people, a question without a tick is open: they left it out, or it was not asked.
    """
    if not space.questions:
        return [GroupData(space.groups[0], space, np.arange(len(data)), data)]
    return [_of_group(space, place, data) for place in range(len(space.groups))]


def _of_group(space: LabelSpace, place: int, data: TrainingData) -> GroupData:
    assert data.certain is not None
    assert data.sure is not None
    assert data.answered is not None
    assert data.tops is not None
    group, own = space.groups[place], space.parts[place]
    proposed, sure = data.teacher_sets[:, group.columns], data.sure[:, group.columns]
    said = data.candidates[:, group.columns]
    human = data.human & said.any(1)
    taught = _taught(space, group, data)
    proposed, sure = proposed & taught[:, None], sure & taught[:, None]
    rows = np.flatnonzero(human | taught)
    shares = None if data.confidences is None else data.confidences[rows][:, group.columns] * proposed[rows]
    several = group.kind == "any"
    certain = np.where(human[:, None], data.certain[:, group.columns], sure)
    tops = np.where(taught & (data.tops[:, place] >= 0), data.tops[:, place] - group.start, -1)
    found = TrainingData(
        [data.texts[row] for row in rows],
        np.where(human[:, None], said, proposed)[rows],
        human[rows],
        shares if shares is not None and shares.any() else None,
        proposed[rows],
        tops[rows],
        propensity=None if data.propensity is None else data.propensity[rows],
        certain=certain[rows] if several else None,
        sure=sure[rows] if several else None,
        answered=taught[rows] if several else None,
    )
    return GroupData(group, own, rows, found)


def _taught(space: LabelSpace, group: Group, data: TrainingData) -> BoolArray:
    """Rows `(n,)` in which the teacher says something about a question: a label; or that none applies, where several
    may be right, it was asked, and not everything is possible."""
    assert data.sure is not None
    assert data.answered is not None
    proposed, sure = data.teacher_sets[:, group.columns], data.sure[:, group.columns]
    named: BoolArray = data.answered & proposed.any(1)
    if group.kind != "any":
        return named
    reached = data.answered.copy()
    for one in group.when:
        columns = [space.index(label) for label in one.labels]
        reached &= data.teacher_sets[:, columns].any(1) if one.chosen else ~data.sure[:, columns].any(1)
    nothing = proposed.all(1) & ~sure.any(1)
    found: BoolArray = (named | reached) & ~nothing
    return found
