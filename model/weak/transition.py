"""How this teacher errs, learnt from human labels: a Gaussian-process correction of what is believed about every row.

Prior mean is the pooled posterior. The kernel adds three views of a row: its embedding, the teacher's distribution
(a soft confusion matrix) and its first label. With few labels the correction is a shrunken confusion model; with many
the embedding takes over and the teacher fades. The strengths are few, and chosen by the error on human labels of
texts that were left out, all rows of a text at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.arrays import FloatArray, IntArray
from model.weak.chunks import Dense, Shares, pieces, softened
from model.weak.judges import Known, beyond_chance, weighted_mean

LEAST_LABELS = 8
SHRINKAGE = 10.0  # labels at which the correction counts half
EMBEDDING = (0.3, 1.0, 3.0)  # strength of the kernels
TEACHER = 0.5
NOISES = (1.0, 3.0, 10.0)
SETTINGS = 1 + len(EMBEDDING) * len(NOISES)  # among which one is chosen, with none at all
SCALES = np.exp(np.linspace(0.0, 3.5, 15))


@dataclass(frozen=True)
class Correction:
    """What was chosen, for the report: strengths, and mean squared error before and after, both left out."""

    used: bool
    labels: int
    embedding: float = 0.0
    teacher: float = 0.0
    noise: float = 0.0
    error_before: float | None = None
    error_after: float | None = None


class Views:
    """The three views of rows as features whose inner products are the kernels."""

    def __init__(self, vectors: FloatArray, posterior: Shares, first: IntArray) -> None:
        self._vectors, self._posterior, self._first = vectors, posterior, first
        sample = np.unique(np.linspace(0, len(vectors) - 1, min(4096, len(vectors))).astype(np.int64))
        self._centres: list[Dense] = [np.zeros(1)] * 3
        self._spreads = [1.0, 1.0, 1.0]
        for number, view in enumerate(self._raw(sample)):
            self._centres[number] = view.mean(0)
            if number < 2:
                self._spreads[number] = float(np.sqrt(((view - view.mean(0)) ** 2).sum(1).mean())) or 1.0

    def _raw(self, rows: IntArray | slice) -> list[Dense]:
        logs = np.log(np.maximum(self._posterior[rows].astype(np.float64), 1e-5))
        hot = np.zeros_like(logs)
        first = self._first[rows]
        known = np.flatnonzero(first >= 0)
        hot[known, first[known]] = 1.0
        return [self._vectors[rows].astype(np.float64), logs - logs.mean(1, keepdims=True), hot]

    def features(self, rows: IntArray | slice, embedding: float, teacher: float) -> Dense:
        """`(b, d + 2C + 1)`; inner products are the summed kernels."""
        weights = (embedding, teacher, teacher)
        views = [
            (view - centre) * (weight**0.5 / spread)
            for view, centre, spread, weight in zip(self._raw(rows), self._centres, self._spreads, weights, strict=True)
        ]
        return np.hstack([*views, np.full((len(views[0]), 1), 0.3)])


def corrected(
    believed: Shares,
    posterior: Shares,
    vectors: FloatArray,
    first: IntArray,
    known: Known,
    own: Dense,
) -> tuple[Shares, Correction, Dense]:
    """`believed` float16 `(n, C)` corrected by what people said (`known`), for all rows.

    `own` `(k, C)` is what is believed of each of these rows without the labels of its text, and so is the third value,
    after the correction. Unless the left-out error falls by more than chance makes the best of all strengths look
    better, nothing is changed; with few labels the outcome is a mean of before and after.
    """
    rows = known.rows
    if len(rows) < LEAST_LABELS:
        return believed, Correction(False, len(rows)), own
    views = Views(vectors, posterior, first)
    truth = np.eye(believed.shape[1])[known.labels]
    before = ((own - truth) ** 2).sum(1)
    error, choice, left_out = _best(views, known, truth, own)
    figures = (weighted_mean(before, known.weights)[0], weighted_mean(error, known.weights)[0])
    if not beyond_chance(before - error, SETTINGS, known.weights):
        return believed, Correction(False, len(rows), error_before=figures[0]), own
    trust = len(rows) / (len(rows) + SHRINKAGE)
    embedding, noise = choice
    scale = _scale(left_out, truth, known.weights)
    weights = _solve(views.features(rows, embedding, TEACHER), truth - own, noise)
    result = np.empty_like(believed)
    for piece in pieces(len(believed)):
        old = believed[piece].astype(np.float64)
        new = softened(scale * (old + views.features(piece, embedding, TEACHER) @ weights))
        result[piece] = trust * new + (1.0 - trust) * old
    found = Correction(True, len(rows), embedding, TEACHER, noise, *figures)
    return result, found, trust * softened(scale * left_out) + (1.0 - trust) * own


def _best(views: Views, known: Known, truth: Dense, prior: Dense) -> tuple[Dense, tuple[float, float], Dense]:
    """Left-out squared errors per row, the strengths that give them, and the left-out scores."""
    best: tuple[float, Dense, tuple[float, float], Dense] | None = None
    for embedding in EMBEDDING:
        basis, values = _decompose(views.features(known.rows, embedding, TEACHER))
        for noise in NOISES:
            left_out = prior + _left_out(basis, values / (values + noise), truth - prior, known.groups)
            error = ((left_out - truth) ** 2).sum(1)
            figure, _ = weighted_mean(error, known.weights)
            if best is None or figure < best[0]:
                best = (figure, error, (embedding, noise), left_out)
    assert best is not None
    return best[1:]


def _left_out(basis: Dense, shrink: Dense, residual: Dense, groups: IntArray) -> Dense:
    """What the fit says of each row `(k, C)` without the rows of its text: (I - H_gg)^-1 times the block's own rest."""
    fitted = basis @ (shrink[:, None] * (basis.T @ residual))
    leverage = np.minimum(basis**2 @ shrink, 0.999)[:, None]
    found: Dense = (fitted - leverage * residual) / (1.0 - leverage)
    _, inverse, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    for group in np.flatnonzero(sizes > 1):
        rows = np.flatnonzero(inverse == group)
        block = (basis[rows] * shrink) @ basis[rows].T
        found[rows] = np.linalg.solve(1.001 * np.eye(len(rows)) - block, fitted[rows] - block @ residual[rows])
    return found


def _decompose(features: Dense) -> tuple[Dense, Dense]:
    """Left singular vectors `(k, r)` and squared singular values, by whichever Gram matrix is smaller."""
    wide = len(features) <= features.shape[1]
    squares, vectors = np.linalg.eigh(features @ features.T if wide else features.T @ features)
    kept = squares > 1e-9
    squares, vectors = squares[kept], vectors[:, kept]
    left = vectors if wide else features @ vectors / np.sqrt(squares)
    return np.asarray(left, np.float64), np.asarray(squares, np.float64)


def _solve(features: Dense, residual: Dense, noise: float) -> Dense:
    """Ridge weights `(D, C)`, by whichever Gram matrix is smaller."""
    if len(features) <= features.shape[1]:
        gram = features @ features.T
        dual = np.linalg.solve(gram + noise * np.eye(len(gram)), residual)
        return np.asarray(features.T @ dual, np.float64)
    gram = features.T @ features
    return np.asarray(np.linalg.solve(gram + noise * np.eye(len(gram)), features.T @ residual), np.float64)


def _scale(scores: Dense, truth: Dense, weights: Dense) -> float:
    """The factor on left-out scores whose softmax fits the human labels best."""
    losses = [-(weights[:, None] * truth * np.log(softened(scale * scores) + 1e-12)).sum() for scale in SCALES]
    return float(SCALES[int(np.argmin(losses))])
