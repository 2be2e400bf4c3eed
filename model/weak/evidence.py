"""What each piece of evidence about a label counts, where several labels may be right: chosen by people's answers.

The pieces are log odds: how often the label is right at all, what similar texts say, what the teacher's state of the
label says, and what people's answers teach alone. As evidence they would add up if they were independent and right;
they are not, so a logistic regression, pooled over all labels, learns what each counts from answers of people that the
pieces have not seen. Their own threshold is chosen on the same rows: odds that are right on average tick too little.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from model.arrays import BoolArray, FloatArray, IntArray
from model.decoding import ENOUGH, by_people
from model.weak.chunks import Dense
from model.weak.label_states import sigmoid

PIECES = ("rate", "similar", "teacher", "supervised")
START: Dense = np.array([1.0, 1.0, 1.0, 0.0])  # what they count before people said anything
PULL = 30.0  # towards START, as a ridge penalty
FOLDS = 5
ROUNDS = 30  # of Newton's method, most
TINY = 1e-3


@dataclass(frozen=True)
class Evidence:
    """`weights` `(4,)` of PIECES; `limits` `(C,)`: the probabilities from which on a label is believed."""

    weights: Dense
    limits: FloatArray

    def to_json(self) -> dict[str, float]:
        """What each piece counts, for the report."""
        return {name: round(float(weight), 4) for name, weight in zip(PIECES, self.weights, strict=True)}


def plain(labels: int) -> Evidence:
    """Before people said enough."""
    return Evidence(START, np.full(labels, 0.5, np.float32))


def weighed(pieces: Dense, truth: BoolArray, fold_of: IntArray) -> Evidence:
    """Of people's answers `truth` `(k, C)` and `pieces` `(k, C, 4)` that have not seen the row's own answer.

    The weights are START where answers of other folds are not likelier by others beyond a standard error.
    """
    answers, alone = truth.astype(np.float64), sigmoid(pieces @ START)
    unseen = np.empty_like(answers)
    for kept, held in parts(fold_of):
        unseen[held] = sigmoid(pieces[held] @ fitted(pieces[kept], answers[kept]))
    gain = _likelihoods(unseen, answers) - _likelihoods(alone, answers)
    used = bool(gain.mean() > gain.std() / np.sqrt(len(gain)))
    weights, unseen = (fitted(pieces, answers), unseen) if used else (START, alone)
    limits = plain(truth.shape[1]).limits
    if len(truth) >= ENOUGH and truth.any():
        limits = by_people(unseen.astype(np.float32), truth).values
    return Evidence(weights, limits)


def fitted(pieces: Dense, answers: Dense) -> Dense:
    """Weights `(4,)` of a logistic regression without intercept, pulled to START; Newton's method."""
    inputs, wanted, weights = pieces.reshape(-1, len(PIECES)), answers.ravel(), START.copy()
    for _ in range(ROUNDS):
        said = sigmoid(inputs @ weights)
        slope = inputs.T @ (said - wanted) + PULL * (weights - START)
        bend = (inputs * (said * (1.0 - said))[:, None]).T @ inputs + PULL * np.eye(len(PIECES))
        step = np.linalg.solve(bend, slope)
        weights = weights - step
        if np.abs(step).max() < 1e-6:
            break
    return weights


def folds_of(rows: int) -> IntArray:
    """A fold for each of people's rows."""
    return np.asarray(np.random.default_rng(0).permutation(rows) % FOLDS, np.int64)


def parts(fold_of: IntArray) -> Iterator[tuple[IntArray, IntArray]]:
    """The rows of the other folds, and those of each."""
    for fold in range(FOLDS):
        yield np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)


def _likelihoods(said: Dense, answers: Dense) -> Dense:
    shares = np.clip(said, TINY, 1.0 - TINY)
    return np.asarray((answers * np.log(shares) + (1.0 - answers) * np.log1p(-shares)).sum(1), np.float64)
