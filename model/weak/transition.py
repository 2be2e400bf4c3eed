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
) -> tuple[Shares, Correction]:
    """`believed` float16 `(n, C)` corrected by what people said (`labels` of `rows`), for all rows.

    `believed` of a row must not have used that row's own human label. Unless the left-out error falls by more than
    its standard error, nothing is changed.
    """
    if len(rows) < LEAST_LABELS:
        return believed, Correction(False, len(rows))
    views = Views(vectors, posterior, first)
    truth = np.eye(believed.shape[1])[labels]
    prior = believed[rows].astype(np.float64)
    before = ((prior - truth) ** 2).sum(1)
    error, choice, left_out = _best(views, rows, truth, prior)
    gain = before - error
    noise_of_gain = gain.std() / np.sqrt(len(rows))
    if gain.mean() <= noise_of_gain:
        return believed, Correction(False, len(rows), error_before=float(before.mean()))
    mean, embedding, teacher, noise = choice
    scale = _scale(left_out, truth)
    weights = _solve(views.features(rows, embedding, teacher), truth - _mean(prior, truth, mean), noise)
    result = np.empty_like(believed)
    for piece in pieces(len(believed)):
        start = _mean(believed[piece].astype(np.float64), truth, mean)
        result[piece] = softened(scale * (start + views.features(piece, embedding, teacher) @ weights))
    return result, Correction(
        True, len(rows), mean, embedding, teacher, noise, float(before.mean()), float(error.mean())
    )


def _mean(believed: Dense, truth: Dense, trust: float) -> Dense:
    return trust * believed + (1.0 - trust) * (truth.sum(0) + 1.0) / (len(truth) + truth.shape[1])


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
    if len(features) <= features.shape[1]:
        values, basis = np.linalg.eigh(features @ features.T)
        kept = values > 1e-9
        return basis[:, kept], values[kept]
    values, right = np.linalg.eigh(features.T @ features)
    kept = values > 1e-9
    return features @ right[:, kept] / np.sqrt(values[kept]), values[kept]


def _solve(features: Dense, residual: Dense, noise: float) -> Dense:
    if len(features) <= features.shape[1]:
        gram = features @ features.T
        solved: Dense = features.T @ np.linalg.solve(gram + noise * np.eye(len(gram)), residual)
        return solved
    gram = features.T @ features
    direct: Dense = np.linalg.solve(gram + noise * np.eye(len(gram)), features.T @ residual)
    return direct


def _scale(scores: Dense, truth: Dense) -> float:
    """The factor on left-out scores whose softmax fits the human labels best."""
    losses = [-(truth * np.log(softened(scale * scores) + 1e-12)).sum() for scale in SCALES]
    return float(SCALES[int(np.argmin(losses))])
