"""Do the tasks that people decided resemble the pool? Only then may they speak for tasks that nobody decided.

Training asks it before it generalises the teacher's errors, and judging before it accepts or rejects a student.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from model.arrays import IntArray
from model.weak.chunks import Dense, Shares, pieces

NOISE = 1.25  # times the distance that chance alone explains
SLACK = 0.2  # total variation that is allowed beyond it
LEAST_DISTINCT = 0.55  # share of the distinct labels that a random sample of that size would have


@dataclass(frozen=True)
class Likeness:
    """How much decided tasks look like a random sample of the pool, with the two signs that speak against it."""

    tasks: int
    distance: float = 0.0  # total variation between the teacher's mean posterior on them and on the pool
    allowed: float = 1.0
    distinct: int = 0  # different labels that people gave
    expected: float = 0.0  # different labels that a random sample of that size would have

    @property
    def fair(self) -> bool:
        """Whether they may speak for the pool."""
        return self.tasks == 0 or (self.distinct > LEAST_DISTINCT * self.expected and self.distance <= self.allowed)

    def sentence(self) -> str:
        """Why they may not, for people; "" if they may."""
        if self.fair:
            return ""
        if self.distinct <= LEAST_DISTINCT * self.expected:
            return (
                f"the {self.tasks} human labels are no sample of the pool: "
                f"they name {self.distinct} labels, about {self.expected:.0f} would be expected"
            )
        return (
            f"the {self.tasks} human labels are no sample of the pool: the teacher's answers on these tasks"
            f" differ from those on the pool by {self.distance:.0%}, chance explains {self.allowed:.0%}"
        )

    def to_json(self) -> dict[str, object]:
        """A plain object for reports."""
        return {**asdict(self), "fair": self.fair}


def likeness(posterior: Shares, rows: IntArray, labels: IntArray) -> Likeness:
    """Compare decided rows with all rows.

    `posterior` `(n, C)` is the teacher's, so that both sides of the comparison share its errors; `labels` are the
    human labels of `rows`. Two signs speak against a random sample: the teacher's mean posterior on the rows is further
    from that on the pool (total variation) than chance explains, or people gave far fewer distinct labels than chance
    would.
    """
    if len(rows) == 0:
        return Likeness(0)
    mean, variance = _moments(posterior)
    distance = 0.5 * float(np.abs(posterior[rows].astype(np.float64).mean(0) - mean).sum())
    by_chance = 0.5 * float(np.sqrt(2.0 * variance / (np.pi * len(rows))).sum())
    expected_distinct = float((1.0 - (1.0 - mean) ** len(rows)).sum())
    return Likeness(len(rows), distance, NOISE * by_chance + SLACK, len(np.unique(labels)), expected_distinct)


def representative(posterior: Shares, rows: IntArray, labels: IntArray) -> bool:
    """Whether decided rows look like a random sample of the pool; False for a file that is sorted by label."""
    return likeness(posterior, rows, labels).fair


def _moments(posterior: Shares) -> tuple[Dense, Dense]:
    """Mean and variance of every column, read in blocks."""
    total, squares = np.zeros(posterior.shape[1]), np.zeros(posterior.shape[1])
    for piece in pieces(len(posterior)):
        part = posterior[piece].astype(np.float64)
        total += part.sum(0)
        squares += (part**2).sum(0)
    mean = total / len(posterior)
    return mean, np.clip(squares / len(posterior) - mean**2, 0.0, None)
