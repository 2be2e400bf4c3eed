"""The teacher's answers as distributions, as it says or corrected for labels that it prefers on every text."""

from __future__ import annotations

import numpy as np

from model.arrays import BoolArray, IntArray
from model.training.data import TrainingData
from model.weak.chunks import Dense, Shares, normalised, pieces

EVEN_STRENGTH = 0.75  # of the correction where labels are known to be about equally frequent
OUTSIDE = 0.05  # mass spread over all labels: no set is infallible


def teacher_posterior(data: TrainingData, strength: float = 0.0, outside: float = OUTSIDE) -> Shares:
    """What the teacher's answers say about each row, float16 `(n, C)`; rows without an answer are uniform.

    Inside its set: its confidences, or (0.5 + 0.5/|s|, 0.5/|s|, ...) in its order where it gave none. Each label's
    share is divided by (its mean share over all rows) ** strength, as in batch calibration (arXiv 2309.17249): 0 leaves
    them as the teacher says, 1 makes all labels about equally frequent. Dividing is right only where labels are about
    equally frequent in truth: a teacher that prefers a label and a pool that is full of it give the same answers. Then
    `outside` is spread over all labels.
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
