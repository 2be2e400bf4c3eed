"""Do the tasks that people decided resemble the pool? Only then may the teacher's errors on them be generalised."""

from __future__ import annotations

import numpy as np

from model.arrays import IntArray
from model.weak.chunks import Dense, Shares, pieces

NOISE = 1.25  # times the distance that chance alone explains
SLACK = 0.2  # total variation that is allowed beyond it
LEAST_DISTINCT = 0.55  # share of the distinct labels that a random sample of that size would have


def representative(posterior: Shares, rows: IntArray, labels: IntArray) -> bool:
    """Whether decided rows look like a random sample of the pool; False for a file that is sorted by label.

    `posterior` `(n, C)` is the teacher's, so that both sides of the comparison share its errors; `labels` are the
    human labels of `rows`. Two signs speak against it: the teacher's mean posterior on the rows is further from that
    on the pool (total variation) than chance explains, or people gave far fewer distinct labels than chance would.
    """
    if len(rows) == 0:
        return True
    mean, variance = _moments(posterior)
    distance = 0.5 * float(np.abs(posterior[rows].astype(np.float64).mean(0) - mean).sum())
    by_chance = 0.5 * float(np.sqrt(2.0 * variance / (np.pi * len(rows))).sum())
    expected_distinct = float((1.0 - (1.0 - mean) ** len(rows)).sum())
    many = len(np.unique(labels)) > LEAST_DISTINCT * expected_distinct
    return many and distance <= NOISE * by_chance + SLACK


def _moments(posterior: Shares) -> tuple[Dense, Dense]:
    """Mean and variance of every column, read in blocks."""
    total, squares = np.zeros(posterior.shape[1]), np.zeros(posterior.shape[1])
    for piece in pieces(len(posterior)):
        part = posterior[piece].astype(np.float64)
        total += part.sum(0)
        squares += (part**2).sum(0)
    mean = total / len(posterior)
    return mean, np.clip(squares / len(posterior) - mean**2, 0.0, None)
