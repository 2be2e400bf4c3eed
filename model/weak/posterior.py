"""The teacher's answers as distributions, corrected for labels that it prefers whatever the text says."""

from __future__ import annotations

import numpy as np

from model.arrays import BoolArray, IntArray
from model.training.data import TrainingData
from model.weak.chunks import Dense, Shares, normalised, pieces

PRIOR_STRENGTH = 0.75  # 0: as the teacher says; 1: every label equally often
OUTSIDE = 0.05  # mass spread over all labels: no set is infallible


def teacher_posterior(data: TrainingData, strength: float = PRIOR_STRENGTH, outside: float = OUTSIDE) -> Shares:
    """What the teacher's answers say about each row, float16 `(n, C)`; rows without an answer are uniform.

    Inside its set: its confidences, or (0.5 + 0.5/|s|, 0.5/|s|, ...) in its order where it gave none. Each label's
    share is divided by (its mean share over all rows) ** strength, as in batch calibration (arXiv 2309.17249), since
    a language model prefers some labels on every text; then `outside` is spread over all labels.
    """
    rows, labels = data.candidates.shape
    sets, first = data.teacher_sets, data.first
    total, answered = np.zeros(labels), 0
    for piece in pieces(rows):
        shares, known = _shares(data, sets[piece], first[piece], piece), sets[piece].any(1)
        total += shares[known].sum(0)
        answered += int(known.sum())
    preference = (total + 1.0) / (answered + labels)
    posterior = np.empty((rows, labels), np.float16)
    for piece in pieces(rows):
        corrected = normalised(_shares(data, sets[piece], first[piece], piece) / preference**strength)
        posterior[piece] = (1.0 - outside) * corrected + outside / labels
    return posterior


def _shares(data: TrainingData, sets: BoolArray, first: IntArray, piece: slice) -> Dense:
    """Distributions inside the sets of some rows; all 0 where there is no set."""
    size = np.maximum(sets.sum(1, keepdims=True), 1)
    shares = np.where(sets, 0.5 / size, 0.0)
    known = np.flatnonzero(first >= 0)
    shares[known, first[known]] += 0.5
    if data.confidences is not None:
        given = np.where(sets, data.confidences[piece], 0.0).astype(np.float64)
        told = given.sum(1, keepdims=True) > 0
        shares = np.where(told, given / np.maximum(given.sum(1, keepdims=True), 1e-12), shares)
    return shares
