"""When a choice may leave its default: labels that judge it must show a gain that choosing among so many cannot fake.

The best of K settings on n labels looks better than it is by about E_K * s / sqrt(n), with E_K the mean maximum of K
standard normals and s the spread of the difference per label. So a gain counts beyond E_K standard errors, not one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from model.arrays import BoolArray, IntArray
from model.weak.chunks import Dense


@dataclass(frozen=True)
class Known:
    """k rows that people decided: their numbers, labels, texts' groups, and what each counts where labels judge.

    `weights` make up for tasks that were chosen by scores: see `representative.doubt_weights`.
    """

    rows: IntArray
    labels: IntArray
    groups: IntArray
    weights: Dense

    def __len__(self) -> int:
        return len(self.rows)

    def of(self, chosen: BoolArray) -> Known:
        """Some of them."""
        return Known(self.rows[chosen], self.labels[chosen], self.groups[chosen], self.weights[chosen])


def mean_maximum(settings: int) -> float:
    """The mean maximum of so many standard normals (E_2 = .56, E_4 = 1.03, E_12 = 1.63), by quadrature; at least 1."""
    points = np.linspace(-8.0, 8.0, 4001)
    below = np.array([0.5 * (1.0 + math.erf(point / math.sqrt(2.0))) for point in points])
    maximum = np.trapezoid(1.0 - below**settings, points) + points[0]
    return max(1.0, float(maximum))


def weighted_mean(values: Dense, weights: Dense | None = None) -> tuple[float, float]:
    """Mean of `(n,)` and its standard error; of weighted values with the effective number of weights."""
    if weights is None:
        weights = np.ones(len(values))
    total = float(weights.sum())
    if total <= 0.0:
        return 0.0, math.inf
    mean = float((weights * values).sum()) / total
    spread = math.sqrt(float((weights * (values - mean) ** 2).sum()) / total)
    return mean, spread * math.sqrt(float((weights**2).sum())) / total


def beyond_chance(gains: Dense, settings: int, weights: Dense | None = None, doubt: float = 0.0) -> bool:
    """Whether the paired gains `(n,)` of the best of so many settings over the default are more than choosing fakes.

    `doubt` is the number of labels at which twice as much is asked: where the same few labels teach what they judge.
    """
    mean, error = weighted_mean(gains, weights)
    return mean > mean_maximum(settings) * (1.0 + doubt / max(1, len(gains))) * error and mean > 0.0
