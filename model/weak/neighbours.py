"""What similar texts say: a ridge regression on embeddings, each row left out of its own opinion.

The student of a noisy teacher must not simply repeat each row's own label. Leaving every row out of the regression
that judges it (closed form, by leverages) gives an independent opinion; how much it weighs is how well it explains
the teacher on rows that it has not seen (R2), so that a weak encoder does no harm.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.arrays import BoolArray, FloatArray, IntArray
from model.student.options import Stop
from model.weak.chunks import Dense, Shares, normalised, pieces, softened

PENALTIES = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
TEMPERATURES = np.exp(np.linspace(0.0, 4.0, 17))
SAMPLE = 4096


@dataclass(frozen=True)
class Agreement:
    """What the pass found: the explained share of the teacher's variance, and the chosen penalty."""

    explained: float
    penalty: float


def pooled(
    posterior: Shares,
    vectors: FloatArray,
    decided: BoolArray,
    labels: IntArray,
    rounds: int = 2,
    stop: Stop | None = None,
    trust: float | None = None,
) -> tuple[Shares, Agreement]:
    """The teacher's posterior pooled with the opinion of similar texts, float16 `(n, C)`.

    r is proportional to q * p ** R2, with q the posterior and p the leave-one-out opinion; `trust` takes the place of
    R2 if it is given. `rounds` repeats it with r in the place of q as target. People's labels (`labels[decided]`) are
    targets of the regression, but never of their own row, so that the result can still be compared with them.
    """
    result, found, weight = posterior, Agreement(0.0, 0.0), 0.0
    if trust is not None and trust <= 0.0:
        return posterior, found
    for number in range(rounds):
        ridge = _Ridge(vectors, result, decided, labels, stop)
        penalty, explained = ridge.best()
        if number == 0:
            weight = max(0.0, explained) if trust is None else trust
            found = Agreement(explained, penalty)
        if weight <= 0.0:
            return posterior, found
        result = _pool(posterior, ridge, penalty, weight)
    return result, found


def _pool(posterior: Shares, ridge: _Ridge, penalty: float, weight: float) -> Shares:
    scale = ridge.scale(penalty)
    result = np.empty_like(posterior)
    for piece in pieces(len(posterior), ridge.stop):
        opinion = np.log(softened(scale * ridge.left_out(piece, penalty)) + 1e-9)
        own = posterior[piece].astype(np.float64)
        result[piece] = normalised(own * np.exp(weight * (opinion - opinion.max(1, keepdims=True))))
    return result


class _Ridge:
    """Ridge regression from vectors to targets; leave-one-out predictions for many penalties from one decomposition."""

    def __init__(
        self, vectors: FloatArray, targets: Shares, decided: BoolArray, labels: IntArray, stop: Stop | None = None
    ) -> None:
        self._vectors, self._targets, self.stop = vectors, targets, stop
        self._decided, self._labels = decided, labels
        width = vectors.shape[1]
        total = np.zeros(width)
        for piece in pieces(len(vectors), stop):
            total += vectors[piece].sum(0, dtype=np.float64)
        self._mean = total / max(1, len(vectors))
        gram, cross = np.zeros((width + 1, width + 1)), np.zeros((width + 1, targets.shape[1]))
        for piece in pieces(len(vectors), stop):
            inputs = self._inputs(piece)
            gram += inputs.T @ inputs
            cross += inputs.T @ self.target(piece)
        self._values, self._basis = np.linalg.eigh(gram)
        self._values = np.maximum(self._values, 0.0)
        self._cross = self._basis.T @ cross
        self._centre = cross[-1] / max(1, len(vectors))

    def target(self, piece: slice) -> Dense:
        """The targets of some rows: one-hot where a person decided."""
        wanted = self._targets[piece].astype(np.float64)
        decided = np.flatnonzero(self._decided[piece])
        wanted[decided] = 0.0
        wanted[decided, self._labels[piece][decided]] = 1.0
        return wanted

    def left_out(self, piece: slice, penalty: float) -> Dense:
        """Predictions for some rows `(b, C)`, each from all other rows."""
        return self._left_out(self._inputs(piece) @ self._basis, self.target(piece), penalty)

    def best(self) -> tuple[float, float]:
        """The penalty with the least left-out error, and the share of variance it explains."""
        errors, variance = np.zeros(len(PENALTIES)), 0.0
        for piece in pieces(len(self._vectors), self.stop):
            states, wanted = self._inputs(piece) @ self._basis, self.target(piece)
            variance += float(((wanted - self._centre) ** 2).sum())
            for number, penalty in enumerate(PENALTIES):
                errors[number] += ((self._left_out(states, wanted, penalty) - wanted) ** 2).sum()
        number = int(errors.argmin())
        return PENALTIES[number], 1.0 - float(errors[number]) / max(variance, 1e-12)

    def scale(self, penalty: float) -> float:
        """The factor on left-out predictions whose softmax fits the targets best, on a sample of rows."""
        piece = slice(0, min(SAMPLE, len(self._vectors)))
        scores, wanted = self.left_out(piece, penalty), self.target(piece)
        losses = [-(wanted * np.log(softened(scale * scores) + 1e-12)).sum() for scale in TEMPERATURES]
        return float(TEMPERATURES[int(np.argmin(losses))])

    def _left_out(self, states: Dense, wanted: Dense, penalty: float) -> Dense:
        inverse = 1.0 / (self._values + penalty)
        fitted = states @ (inverse[:, None] * self._cross)
        leverage = np.minimum((states**2 @ inverse), 0.999)[:, None]
        result: Dense = (fitted - leverage * wanted) / (1.0 - leverage)
        return result

    def _inputs(self, piece: slice) -> Dense:
        vectors = self._vectors[piece].astype(np.float64) - self._mean
        return np.hstack([vectors, np.ones((len(vectors), 1))])
