"""What similar texts say: a ridge regression on embeddings, each row left out of its own opinion.

The student of a noisy teacher must not simply repeat each row's own label. Leaving every row out of the regression
that judges it (closed form, by leverages) gives an independent opinion; how much it weighs is how well it explains
the teacher on rows that it has not seen (R2), so that a weak encoder does no harm.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from model.arrays import BoolArray, FloatArray, IntArray
from model.weak.chunks import Dense, Shares, normalised, pieces, softened
from model.weak.space import Space

PENALTIES = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
TEMPERATURES = np.exp(np.linspace(0.0, 4.0, 17))
SAMPLE = 4096
TINY = 1e-9  # keeps logarithms finite


@dataclass(frozen=True)
class Agreement:
    """What the pass found: the explained share of the teacher's variance, and the chosen penalty."""

    explained: float = 0.0
    penalty: float = 0.0


def pooled(
    posterior: Shares,
    space: Space,
    decided: BoolArray,
    labels: IntArray,
    rounds: int = 2,
    trust: float | None = None,
    first: Opinion | None = None,
) -> tuple[Shares, Agreement]:
    """The teacher's posterior pooled with the opinion of similar texts, float16 `(n, C)`.

    r is proportional to q * (p / m) ** R2, with q the posterior, p the leave-one-out opinion and m its mean over all
    rows: both know how frequent each label is, and in a product that must count once (Bayes, for two independent
    witnesses). `trust` takes the place of R2 if it is given. `rounds` repeats it with r in the place of q as target.
    People's labels (`labels[decided]`) are targets of the regression, but never of their own row, so that the result
    can still be compared with them. `first` spares the first regression where the same posterior was pooled before.
    """
    result, found, weight = posterior, Agreement(), 0.0
    if trust is not None and trust <= 0.0:
        return posterior, found
    for number in range(rounds):
        opinion = first if first and number == 0 else Opinion(space, result, decided, labels)
        if number == 0:
            found = opinion.agreement
            weight = max(0.0, found.explained) if trust is None else trust
        if weight <= 0.0:
            return posterior, found
        result = opinion.pooled_with(posterior, weight)
    return result, found


class Opinion:
    """A ridge regression from vectors to targets, and what it says of each row from all other rows."""

    def __init__(self, space: Space, targets: Shares, decided: BoolArray, labels: IntArray) -> None:
        self._space, self._targets = space, targets
        self._decided, self._labels = decided, labels
        columns = targets.shape[1]
        total, cross = np.zeros(columns), np.zeros((space.width, columns))
        for piece in pieces(len(space), space.stop):
            wanted = self._target(piece)
            total += wanted.sum(0, dtype=np.float64)
            cross += space.products(piece, wanted)
        self._centre, self._cross = total / max(1, len(space)), cross

    @cached_property
    def agreement(self) -> Agreement:
        """The penalty with the least left-out error, and the share of variance it explains."""
        errors, variance = np.zeros(len(PENALTIES)), 0.0
        for piece in pieces(len(self._space), self._space.stop):
            states, wanted = self._space.states(piece), self._target(piece)
            variance += float(((wanted - self._centre) ** 2).sum())
            for number, penalty in enumerate(PENALTIES):
                errors[number] += ((self._left_out(states, wanted, penalty) - wanted) ** 2).sum(dtype=np.float64)
        number = int(errors.argmin())
        return Agreement(1.0 - float(errors[number]) / max(variance, 1e-12), PENALTIES[number])

    def pooled_with(self, posterior: Shares, weight: float) -> Shares:
        """q * (p / mean p) ** weight, re-normalised, for every row."""
        frequent = np.log(self._mean + TINY)
        result = np.empty_like(posterior)
        for piece in pieces(len(posterior), self._space.stop):
            opinion = np.log(self._shares(piece) + TINY) - frequent
            own = posterior[piece].astype(np.float64)
            result[piece] = normalised(own * np.exp(weight * (opinion - opinion.max(1, keepdims=True))))
        return result

    def left_out(self, piece: slice) -> Dense:
        """Predictions for some rows `(b, C)` at the best penalty, each from all other rows."""
        states = self._space.states(piece)
        return self._left_out(states, self._target(piece), self.agreement.penalty).astype(np.float64)

    def _shares(self, piece: slice) -> Dense:
        """The opinion about some rows as distributions `(b, C)`."""
        return softened(self._scale * self.left_out(piece))

    @cached_property
    def _mean(self) -> Dense:
        """The mean opinion about all rows `(C,)`: how frequent it takes each label to be."""
        total = sum(self._shares(piece).sum(0) for piece in pieces(len(self._space), self._space.stop))
        return np.asarray(total / max(1, len(self._space)), np.float64)

    @cached_property
    def _scale(self) -> float:
        """The factor on left-out predictions whose softmax fits the targets best, on a sample of rows."""
        piece = slice(0, min(SAMPLE, len(self._space)))
        scores, wanted = self.left_out(piece), self._target(piece)
        losses = [-(wanted * np.log(softened(scale * scores) + 1e-12)).sum() for scale in TEMPERATURES]
        return float(TEMPERATURES[int(np.argmin(losses))])

    def _target(self, piece: slice) -> FloatArray:
        """The targets of some rows: one-hot where a person decided."""
        wanted = self._targets[piece].astype(np.float32)
        decided = np.flatnonzero(self._decided[piece])
        wanted[decided] = 0.0
        wanted[decided, self._labels[piece][decided]] = 1.0
        return wanted

    def _left_out(self, states: FloatArray, wanted: FloatArray, penalty: float) -> FloatArray:
        inverse = (1.0 / (self._space.values + penalty)).astype(np.float32)
        fitted = states @ (inverse[:, None] * self._cross).astype(np.float32)
        leverage = np.minimum(states**2 @ inverse, 0.999)[:, None]
        result: FloatArray = (fitted - leverage * wanted) / (1.0 - leverage)
        return result
