"""What a student learns from: candidate sets and human labels as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model.arrays import BoolArray, FloatArray, IntArray
from model.errors import NotEnoughDataError
from model.labels import CandidateSet, HumanLabel, LabelSpace


@dataclass
class TrainingData:
    """Rows to learn from; n rows, C labels.

    `candidates` is what may be true: the person's label or narrowed set where `human`, the teacher's set elsewhere.
    `proposed` and `confidences` are what the teacher said, also on human rows (how else would we learn how it errs);
    rows without a teacher are all False and all 0. `top` is its first label, -1 where there is none. `unlabelled` are
    further texts, about which neither a teacher nor people have said anything; a selection of rows has none of them.
    """

    texts: Sequence[str]
    candidates: BoolArray  # (n, C), every row has at least one True
    human: BoolArray  # (n,)
    confidences: FloatArray | None = None  # (n, C), 0 outside the proposed set; None: the teacher gave none
    proposed: BoolArray | None = None  # (n, C); None: as `candidates` where not human
    top: IntArray | None = None  # (n,); None: unknown order
    unlabelled: Sequence[str] = ()

    def __post_init__(self) -> None:
        rows = len(self.texts)
        if self.candidates.shape[0] != rows or self.human.shape != (rows,):
            raise ValueError(f"{rows} texts, candidates {self.candidates.shape}, human {self.human.shape} do not fit")
        if rows and not self.candidates.any(1).all():
            raise ValueError("every row needs at least one candidate")

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def teacher_sets(self) -> BoolArray:
        """What the teacher proposed, bool `(n, C)`; all False where it said nothing."""
        if self.proposed is not None:
            return self.proposed
        proposed: BoolArray = self.candidates & ~self.human[:, None]
        return proposed

    @property
    def first(self) -> IntArray:
        """The teacher's first label `(n,)`; the most confident or the lowest of its set if the order is unknown; -1."""
        if self.top is not None:
            return self.top
        sets = self.teacher_sets
        weights = sets.astype(np.float32) if self.confidences is None else sets * (self.confidences + 1e-6)
        return np.where(sets.any(1), weights.argmax(1), -1).astype(np.int64)

    @property
    def decided(self) -> BoolArray:
        """Rows where a person chose exactly one label."""
        chosen: BoolArray = self.human & (self.candidates.sum(1) == 1)
        return chosen

    def rows(self, chosen: IntArray | BoolArray) -> TrainingData:
        """The same data for some rows only."""
        numbers = np.flatnonzero(chosen) if chosen.dtype == np.bool_ else chosen
        return TrainingData(
            [self.texts[row] for row in numbers],
            self.candidates[numbers],
            self.human[numbers],
            None if self.confidences is None else self.confidences[numbers],
            None if self.proposed is None else self.proposed[numbers],
            None if self.top is None else self.top[numbers],
        )


def training_data(
    space: LabelSpace,
    texts: Sequence[str],
    candidate_sets: Sequence[CandidateSet | None],
    human_labels: Sequence[HumanLabel | None],
) -> TrainingData:
    """Arrays from what the pool stores; texts with neither a set nor a label are `unlabelled` (skipped ones are, too).

    NotEnoughDataError if nothing is left; LabelSpaceError names a label that the space does not know.
    """
    kept = [
        row
        for row, (found, label) in enumerate(zip(candidate_sets, human_labels, strict=True))
        if found is not None or (label is not None and label.labels)
    ]
    if not kept:
        raise NotEnoughDataError("no task has a candidate set or a human label yet; let the teacher or people begin")
    shape = (len(kept), len(space))
    proposed, candidates = np.zeros(shape, np.bool_), np.zeros(shape, np.bool_)
    confidences, human = np.zeros(shape, np.float32), np.zeros(len(kept), np.bool_)
    top = np.full(len(kept), -1, np.int64)
    for place, row in enumerate(kept):
        found, label = candidate_sets[row], human_labels[row]
        if found is not None:
            columns = [space.index(name) for name in found.labels]
            proposed[place, columns] = True
            confidences[place, columns] = found.confidences or 0.0
            top[place] = columns[0]
        if label is not None and label.labels:
            human[place] = True
            candidates[place, [space.index(name) for name in label.labels]] = True
        else:
            candidates[place] = proposed[place]
    given = confidences if confidences.any() else None
    unlabelled = [texts[row] for row in np.delete(np.arange(len(texts)), kept)]
    return TrainingData([texts[row] for row in kept], candidates, human, given, proposed, top, unlabelled)
