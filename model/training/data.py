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
    `propensity` says how people came to a row that they decided: the chance with which it was drawn at random, 0 where
    scores chose it, NaN where nobody knows.

    Where several labels may be right at once, `certain` is the lower bound of every row as `candidates` is the upper
    one, `sure` that of the teacher as `proposed` is its upper one, and `answered` are the rows with a teacher's answer,
    which may name no label. All are None where one label is right. `tops` are the teacher's first labels of each of
    several questions; None with one.
    """

    texts: Sequence[str]
    candidates: BoolArray  # (n, C), every row has at least one True
    human: BoolArray  # (n,)
    confidences: FloatArray | None = None  # (n, C), 0 outside the proposed set; None: the teacher gave none
    proposed: BoolArray | None = None  # (n, C); None: as `candidates` where not human
    top: IntArray | None = None  # (n,); None: unknown order
    unlabelled: Sequence[str] = ()
    propensity: FloatArray | None = None  # (n,); None: nobody knows
    certain: BoolArray | None = None  # (n, C)
    sure: BoolArray | None = None  # (n, C)
    answered: BoolArray | None = None  # (n,)
    tops: IntArray | None = None  # (n, G), columns; -1 for none

    def __post_init__(self) -> None:
        rows = len(self.texts)
        if self.candidates.shape[0] != rows or self.human.shape != (rows,):
            raise ValueError(f"{rows} texts, candidates {self.candidates.shape}, human {self.human.shape} do not fit")
        if rows and self.certain is None and not self.candidates.any(1).all():
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
        """Rows where a person's answer is final: exactly one label, or where several may be right a whole set."""
        if self.certain is not None:
            whole: BoolArray = self.human & (self.candidates == self.certain).all(1)
            return whole
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
            propensity=None if self.propensity is None else self.propensity[numbers],
            certain=None if self.certain is None else self.certain[numbers],
            sure=None if self.sure is None else self.sure[numbers],
            answered=None if self.answered is None else self.answered[numbers],
            tops=None if self.tops is None else self.tops[numbers],
        )


def training_data(
    space: LabelSpace,
    texts: Sequence[str],
    candidate_sets: Sequence[CandidateSet | None],
    human_labels: Sequence[HumanLabel | None],
    propensities: Sequence[float | None] | None = None,
) -> TrainingData:
    """Arrays from what the pool stores; texts with neither a set nor a label are `unlabelled` (skipped ones are, too).

    `propensities`: how people came to each text (None: nobody knows), as in `TrainingData`.
    NotEnoughDataError if nothing is left; LabelSpaceError names a label that the space does not know.
    """
    kept = [
        row
        for row, (found, label) in enumerate(zip(candidate_sets, human_labels, strict=True))
        if found is not None or _says(label)
    ]
    if not kept:
        raise NotEnoughDataError("no task has a candidate set or a human label yet; let the teacher or people begin")
    texts_here, unlabelled = (
        [texts[row] for row in kept],
        [texts[row] for row in np.delete(np.arange(len(texts)), kept)],
    )
    sets, labels = [candidate_sets[row] for row in kept], [human_labels[row] for row in kept]
    proposed, human = (
        _marked(space, [None if found is None else found.labels for found in sets]),
        np.array([*map(_says, labels)], np.bool_),
    )
    decided = _marked(space, [label.labels if label is not None else None for label in labels])
    confidences, top = _ranked(space, sets)
    candidates = np.where(human[:, None], decided, proposed)
    given = confidences if confidences.any() else None
    drawn = None if propensities is None else np.array([propensities[row] for row in kept], np.float32)
    if not space.several:
        return TrainingData(texts_here, candidates, human, given, proposed, top, unlabelled, drawn)
    sure = _marked(space, [None if found is None else found.certain for found in sets])
    agreed = _marked(space, [label.certain if label is not None else None for label in labels])
    answered = np.array([found is not None for found in sets], np.bool_)
    certain = np.where(human[:, None], agreed, sure)
    tops = _tops(space, sets) if space.questions else None
    return TrainingData(
        texts_here, candidates, human, given, proposed, top, unlabelled, drawn, certain, sure, answered, tops
    )


def _ranked(space: LabelSpace, sets: Sequence[CandidateSet | None]) -> tuple[FloatArray, IntArray]:
    """Confidences `(n, C)`, 0 where there are none, and the first label `(n,)` of every set as a column; else -1."""
    confidences, top = np.zeros((len(sets), len(space)), np.float32), np.full(len(sets), -1, np.int64)
    for place, found in enumerate(sets):
        if found is not None and found.labels:
            columns = [space.index(name) for name in found.labels]
            confidences[place, columns] = found.confidences or 0.0
            top[place] = columns[0]
    return confidences, top


def _tops(space: LabelSpace, sets: Sequence[CandidateSet | None]) -> IntArray:
    """The first label of each question `(n, G)` in every set, as a column; -1 for none."""
    found = np.full((len(sets), len(space.groups)), -1, np.int64)
    place_of = {group.start: place for place, group in enumerate(space.groups)}
    for row, one in enumerate(sets):
        for name in reversed(one.labels if one is not None else ()):
            found[row, place_of[space.group_of[name].start]] = space.index(name)
    return found


def _marked(space: LabelSpace, rows: Sequence[Sequence[str] | None]) -> BoolArray:
    """Bool `(n, C)`: the labels of each row, none for None."""
    found = np.zeros((len(rows), len(space)), np.bool_)
    for place, labels in enumerate(rows):
        found[place, [space.index(name) for name in labels or ()]] = True
    return found


def _says(label: HumanLabel | None) -> bool:
    """Whether people said something about a task: a skipped one teaches nothing, "no label applies" does."""
    return label is not None and bool(label.labels or label.certain is not None)
