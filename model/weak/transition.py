"""How this teacher errs, learnt from human labels: a Gaussian-process correction of what is believed about every row.

Prior mean is the pooled posterior. The kernel adds three views of a row: its embedding, the teacher's distribution
(a soft confusion matrix) and its first label. With few labels the correction is a shrunken confusion model; with many
the embedding takes over and the teacher fades. All strengths are chosen by leave-one-out error on the human labels.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from model.arrays import FloatArray, IntArray
from model.weak.chunks import Dense, Shares, pieces, softened

LEAST_LABELS = 8
MARGIN = 0.5  # standard errors by which the left-out error must fall
SHRINKAGE = 10.0  # labels at which the correction counts half
MEANS = (1.0, 0.5, 0.0)  # trust in the pooled posterior as prior mean; the rest is the labels' own distribution
EMBEDDING = (0.3, 1.0, 3.0, 10.0)  # strength of the kernels
TEACHER = (0.3, 1.0)
NOISES = (1.0, 3.0, 10.0)
SCALES = np.exp(np.linspace(0.0, 3.5, 15))


@dataclass(frozen=True)
class Correction:
    """What was chosen, for the report: strengths, and mean squared error before and after, both left out."""

    used: bool
    labels: int
    mean: float = 1.0
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
    believed: Shares, posterior: Shares, vectors: FloatArray, first: IntArray, rows: IntArray, labels: IntArray
) -> tuple[Shares, Correction, Dense]:
    """`believed` float16 `(n, C)` corrected by what people said (`labels` of `rows`), for all rows.

    `believed` of a row must not have used that row's own human label. Unless the left-out error falls by more than
    half its standard error, nothing is changed; with few labels the outcome is a mean of before and after. The third
    value `(k, C)` is what would be believed of each labelled row without its own label.
    """
    own = believed[rows].astype(np.float64)
    if len(rows) < LEAST_LABELS:
        return believed, Correction(False, len(rows)), own
    views = Views(vectors, posterior, first)
    truth = np.eye(believed.shape[1])[labels]
    before = ((own - truth) ** 2).sum(1)
    error, choice, left_out = _best(views, rows, truth, own)
    gain = before - error
    if gain.mean() <= MARGIN * gain.std() / np.sqrt(len(rows)):
        return believed, Correction(False, len(rows), error_before=float(before.mean())), own
    trust = len(rows) / (len(rows) + SHRINKAGE)
    mean, embedding, teacher, noise = choice
    scale = _scale(left_out, truth)
    weights = _solve(views.features(rows, embedding, teacher), truth - _mean(own, truth, mean), noise)
    result = np.empty_like(believed)
    for piece in pieces(len(believed)):
        old = believed[piece].astype(np.float64)
        new = softened(scale * (_mean(old, truth, mean) + views.features(piece, embedding, teacher) @ weights))
        result[piece] = trust * new + (1.0 - trust) * old
    found = Correction(True, len(rows), mean, embedding, teacher, noise, float(before.mean()), float(error.mean()))
    return result, found, trust * softened(scale * left_out) + (1.0 - trust) * own


def _mean(believed: Dense, truth: Dense, trust: float) -> Dense:
    blended: Dense = trust * believed + (1.0 - trust) * (truth.sum(0) + 1.0) / (len(truth) + truth.shape[1])
    return blended


def _best(
    views: Views, rows: IntArray, truth: Dense, prior: Dense
) -> tuple[Dense, tuple[float, float, float, float], Dense]:
    """Left-out squared errors per row, the strengths that give them, and the left-out scores."""
    best: tuple[Dense, tuple[float, float, float, float], Dense] | None = None
    for embedding, teacher in itertools.product(EMBEDDING, TEACHER):
        basis, values = _decompose(views.features(rows, embedding, teacher))
        for mean, noise in itertools.product(MEANS, NOISES):
            start = _mean(prior, truth, mean)
            shrink = values / (values + noise)
            leverage = np.minimum(basis**2 @ shrink, 0.999)[:, None]
            residual = truth - start
            fitted = basis @ (shrink[:, None] * (basis.T @ residual))
            left_out = start + (fitted - leverage * residual) / (1.0 - leverage)
            error = ((left_out - truth) ** 2).sum(1)
            if best is None or error.mean() < best[0].mean():
                best = (error, (mean, embedding, teacher, noise), left_out)
    assert best is not None
    return best


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


def _scale(scores: Dense, truth: Dense) -> float:
    """The factor on left-out scores whose softmax fits the human labels best."""
    losses = [-(truth * np.log(softened(scale * scores) + 1e-12)).sum() for scale in SCALES]
    return float(SCALES[int(np.argmin(losses))])
