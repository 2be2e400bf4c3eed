"""How much similar texts count, chosen on human labels.

Without people it is what they explain of the teacher's answers. What is believed of a decided row never used a human
label, so the labels judge every strength fairly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.arrays import IntArray
from model.weak.chunks import Dense, Shares
from model.weak.judges import Known, beyond_chance, weighted_mean
from model.weak.neighbours import Agreement, Opinion, pooled
from model.weak.space import Space

LEAST_LABELS = 20
TRUSTS = (0.0, None, 1.0)  # None: as much as similar texts explain
MOST_ROWS = 20_000  # rows on which strengths are compared; the decided ones are always among them


@dataclass(frozen=True)
class Strengths:
    """`trust` of `pooled`; mean squared errors of the fixed and the best one where they differ."""

    trust: float | None = None
    error_before: float | None = None
    error_after: float | None = None


def strengths(posterior: Shares, space: Space, groups: IntArray, known: Known) -> Strengths:
    """Half-way to the trust whose beliefs of the decided rows come closest to their labels (Brier score).

    The fixed one with fewer than 20 labels, and unless the error falls by more than the best of three may seem to.
    Half-way, because a few dozen labels overstate what is best.
    """
    if len(known) < LEAST_LABELS:
        return Strengths()
    sample, places = _sample(len(posterior), known.rows)
    some, space, groups = posterior[sample], space.of(sample), groups[sample]
    truth = np.eye(posterior.shape[1])[known.labels]
    first, found = Opinion(space, some, groups), Agreement()
    errors: dict[float | None, Dense] = {}
    for trust in TRUSTS:
        believed, agreement = pooled(some, space, groups, trust=trust, first=first)
        errors[trust] = ((believed[places].astype(np.float64) - truth) ** 2).sum(1)
        found = agreement if trust is None else found
    return _chosen(errors, found.explained, known.weights)


def _chosen(errors: dict[float | None, Dense], explained: float, weights: Dense) -> Strengths:
    """Half-way from the fixed trust, which amounts to `explained`, to the best one."""
    means = {trust: weighted_mean(errors[trust], weights)[0] for trust in errors}
    best = min(means, key=lambda trust: means[trust])
    if best is None or not beyond_chance(errors[None] - errors[best], len(errors), weights):
        return Strengths()
    return Strengths((max(0.0, explained) + best) / 2.0, means[None], means[best])


def _sample(count: int, rows: IntArray) -> tuple[IntArray, IntArray]:
    """At most MOST_ROWS row numbers, evenly spread, with all decided ones; and the places of these among them."""
    spread = np.unique(np.linspace(0, count - 1, min(count, MOST_ROWS)).astype(np.int64))
    sample = np.union1d(spread, rows)
    return sample, np.searchsorted(sample, rows)
