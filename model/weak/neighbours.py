"""What similar texts say: a ridge regression on embeddings, each row left out of its own opinion.

The student of a noisy teacher must not simply repeat each row's own label. Leaving every row, and all rows with the
same text, out of the regression that judges it (closed form, by leverages) gives an independent opinion; how much it
weighs is how well it explains the teacher on rows that it has not seen (R2), so that a weak encoder does no harm.
People's labels take no part: so every label can judge what is believed of its own row.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from model.arrays import FloatArray, IntArray
from model.weak.chunks import Dense, Shares, normalised, pieces, softened
from model.weak.space import Space

PENALTIES = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
TEMPERATURES = np.exp(np.linspace(0.0, 4.0, 17))
SAMPLE = 4096
QUARTER = 0.25  # see `pooled`
TINY = 1e-9  # keeps logarithms finite


@dataclass(frozen=True)
class Agreement:
    """What the pass found: the explained share of the teacher's variance, and the chosen penalty."""

    explained: float = 0.0
    penalty: float = 0.0


def pooled(
    posterior: Shares,
    space: Space,
    groups: IntArray,
    rounds: int = 1,
    trust: float | None = None,
    first: Opinion | None = None,
    even: bool = False,
) -> tuple[Shares, Agreement]:
    """The teacher's posterior pooled with the opinion of similar texts, float16 `(n, C)`.

    r is proportional to q * (p / m ** division) ** R2, with q the posterior, p the left-out opinion and m its mean over
    all rows: both know how frequent each label is, and in a product of independent witnesses that counts once
    (division 1). But the answers of a teacher that errs make labels look more equal than they are, so that where labels
    are not known to be `even`, m counts a quarter. `trust` takes the place of R2 if it is given. `rounds` repeats it
    with r in the place of q as target.
    `groups` `(n,)` number the texts (see `text_groups`). `first` spares the first regression where the same posterior
    was pooled before.
    """
    result, found, weight = posterior, Agreement(), 0.0
    if trust is not None and trust <= 0.0:
        return posterior, found
    for number in range(rounds):
        opinion = first if first and number == 0 else Opinion(space, result, groups)
        if number == 0:
            found = opinion.agreement
            weight = max(0.0, found.explained) if trust is None else trust
        if weight <= 0.0:
            return posterior, found
        result = opinion.pooled_with(posterior, weight, 1.0 if even else QUARTER)
    return result, found


class Opinion:
    """A ridge regression from vectors to targets, and what it says of each row from all rows with other texts."""

    def __init__(self, space: Space, targets: Shares, groups: IntArray) -> None:
        self._space, self._targets = space, targets
        columns = targets.shape[1]
        total, cross = np.zeros(columns), np.zeros((space.width, columns))
        self._twins = Twins(groups, columns)
        for piece in pieces(len(space), space.stop):
            wanted = self._target(piece)
            self._twins.add(piece, wanted)
            total += wanted.sum(0, dtype=np.float64)
            cross += space.products(piece, wanted)
        self._centre, self._cross = total / max(1, len(space)), cross

    @cached_property
    def agreement(self) -> Agreement:
        """The penalty with the least left-out error, and the share of variance it explains."""
        errors, variance = np.zeros(len(PENALTIES)), 0.0
        for piece in pieces(len(self._space), self._space.stop):
            states, wanted = self._space.states(piece), self._target(piece)
            squares, variance = states**2, variance + float(((wanted - self._centre) ** 2).sum())
            for number, penalty in enumerate(PENALTIES):
                opinion = self._left_out(piece, states, squares, wanted, penalty)
                errors[number] += ((opinion - wanted) ** 2).sum(dtype=np.float64)
        number = int(errors.argmin())
        return Agreement(1.0 - float(errors[number]) / max(variance, 1e-12), PENALTIES[number])

    def pooled_with(self, posterior: Shares, weight: float, division: float) -> Shares:
        """q * (p / mean p ** division) ** weight, re-normalised, for every row."""
        frequent = division * np.log(self._mean + TINY)
        result = np.empty_like(posterior)
        for piece in pieces(len(posterior), self._space.stop):
            opinion = np.log(self.shares(piece) + TINY) - frequent
            own = posterior[piece].astype(np.float64)
            result[piece] = normalised(own * np.exp(weight * (opinion - opinion.max(1, keepdims=True))))
        return result

    def left_out(self, piece: slice) -> Dense:
        """Predictions for some rows `(b, C)` at the best penalty, each from all other rows."""
        states = self._space.states(piece)
        penalty = self.agreement.penalty
        return self._left_out(piece, states, states**2, self._target(piece), penalty).astype(np.float64)

    def shares(self, piece: slice) -> Dense:
        """The opinion about some rows as distributions `(b, C)`."""
        return softened(self._scale * self.left_out(piece))

    @cached_property
    def _mean(self) -> Dense:
        """The mean opinion about all rows `(C,)`: how frequent it takes each label to be."""
        total = sum(self.shares(piece).sum(0) for piece in pieces(len(self._space), self._space.stop))
        return np.asarray(total / max(1, len(self._space)), np.float64)

    @cached_property
    def _scale(self) -> float:
        """The factor on left-out predictions whose softmax fits the targets best, on a sample of rows."""
        piece = slice(0, min(SAMPLE, len(self._space)))
        scores, wanted = self.left_out(piece), self._target(piece)
        losses = [-(wanted * np.log(softened(scale * scores) + 1e-12)).sum() for scale in TEMPERATURES]
        return float(TEMPERATURES[int(np.argmin(losses))])

    def _target(self, piece: slice) -> FloatArray:
        return self._targets[piece].astype(np.float32)

    def _left_out(
        self, piece: slice, states: FloatArray, squares: FloatArray, wanted: FloatArray, penalty: float
    ) -> FloatArray:
        """Rows of one text have one vector: without all m of them the fit is (f - h * sum of targets) / (1 - m h)."""
        inverse = (1.0 / (self._space.values + penalty)).astype(np.float32)
        fitted = states @ (inverse[:, None] * self._cross).astype(np.float32)
        count, sums = self._twins.of(piece, wanted)
        leverage = np.minimum(squares @ inverse, 0.999 / count)
        result: FloatArray = (fitted - leverage[:, None] * sums) / (1.0 - count * leverage)[:, None]
        return result


class Twins:
    """Rows that share their text with others: how many they are, and the sum of their targets."""

    def __init__(self, groups: IntArray, columns: int) -> None:
        _, inverse, sizes = np.unique(groups, return_inverse=True, return_counts=True)
        several = sizes > 1
        number = np.cumsum(several) - 1
        self._group = np.where(several[inverse], number[inverse], -1)
        self._sizes = sizes[several].astype(np.float32)
        self._sums = np.zeros((int(several.sum()), columns), np.float32)

    def add(self, piece: slice, targets: FloatArray) -> None:
        """Count the targets `(b, C)` of some rows."""
        group = self._group[piece]
        np.add.at(self._sums, group[group >= 0], targets[group >= 0])

    def of(self, piece: slice, targets: FloatArray) -> tuple[FloatArray, FloatArray]:
        """For some rows: how many have their text `(b,)`, and the sum of the targets of these `(b, C)`."""
        group = self._group[piece]
        twins = group >= 0
        if not twins.any():
            return np.ones(len(group), np.float32), targets
        count, sums = np.ones(len(group), np.float32), targets.copy()
        count[twins], sums[twins] = self._sizes[group[twins]], self._sums[group[twins]]
        return count, sums
