"""Sets of labels that are doubted by who has not learned them: each label of each set by itself.

Every label is a question of its own, answered yes or no; its probability comes from other texts (a ridge regression)
and from whether the teacher names it, as in `doubts`. A set is doubted as much as its most doubted label.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.arrays import BoolArray, FloatArray, IntArray, Stop
from model.weak.chunks import Dense
from model.weak.doubts import FLOOR, TEACHER
from model.weak.label_states import logit, sigmoid
from model.weak.neighbours import Opinion
from model.weak.space import Space


@dataclass(frozen=True)
class SetDoubts:
    """Of k labelled rows: `margins` `(k,)`, 0 for the strongest doubt and 1 for none; `said` `(k, C)`, the sets
    with the other answer to their most doubted label; and `agreement`, the F1 of theirs with those that were given."""

    margins: Dense
    said: BoolArray
    agreement: float


def set_doubts(
    vectors: FloatArray,
    given: BoolArray,
    groups: IntArray,
    named: BoolArray,
    answered: BoolArray,
    least: int = 1,
    stop: Stop | None = None,
) -> SetDoubts:
    """How far others doubt the sets `given` `(k, C)` of texts with `vectors` `(k, d)`, equal ones in one of `groups`;
    `named` `(k, C)` are the labels that the teacher names, where it `answered` `(k,)`. A set has at least so many."""
    shares = _out_of_fold(vectors, given, groups, stop)
    shares = sigmoid(logit(shares) + TEACHER * _by_teacher(given, named, answered))
    stated = np.where(given, shares, 1.0 - shares)
    worst = stated.argmin(axis=1)
    rows = np.arange(len(given))
    said = given.copy()
    said[rows, worst] ^= True
    lacking = said.sum(axis=1) < least  # the likeliest of the others instead
    others = np.where(given, -1.0, shares)
    said[rows[lacking], others[lacking].argmax(axis=1)] = True
    return SetDoubts(stated.min(axis=1), said, _f1(shares > 0.5, given))


def _out_of_fold(vectors: FloatArray, given: BoolArray, groups: IntArray, stop: Stop | None) -> Dense:
    """The chance `(k, C)` that each label is right, from the sets of all rows with other texts."""
    opinion = Opinion(Space(vectors, stop), given.astype(np.float16), groups)
    return np.clip(opinion.left_out(slice(0, len(given))), FLOOR, 1.0 - FLOOR)


def _by_teacher(given: BoolArray, named: BoolArray, answered: BoolArray) -> Dense:
    """Log ratios `(k, C)`: how much more often the teacher does with a label what it did where the label is right, the
    row itself not counted; 0 where it did not answer."""
    seen = answered[:, None]
    found = np.zeros(given.shape)
    for truth, sign in ((given, 1.0), (~given, -1.0)):
        same = truth & seen
        yes = (same & named).sum(axis=0) - (same & named) + 1.0
        total = same.sum(axis=0) - same + 2.0
        share = yes / total
        found += sign * np.log(np.where(named, share, 1.0 - share))
    return np.where(seen, found, 0.0)


def _f1(said: BoolArray, given: BoolArray) -> float:
    return float(2 * (said & given).sum() / max(1, said.sum() + given.sum()))
