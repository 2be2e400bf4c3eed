"""Conditional informativeness: how far fine-tuning moved the answer away from the base model's.

After Bansal & Sharma (arXiv 2306.15766), who rank pairs by the difference in prediction scores; here for C classes,
with pf the student's and p0 the base model's distribution over the same label space. All lie in [0, 1].
"""

from __future__ import annotations

import numpy as np

from model.acquisition.pool import Pool
from model.acquisition.score import Need, needed
from model.arrays import FloatArray, IntArray


def both(pool: Pool, rows: IntArray, name: str) -> tuple[FloatArray, FloatArray]:
    """pf and p0, `(b, C)` each."""
    student = needed(pool.student, "a student's probabilities", name)
    base = needed(pool.base, "a base model's probabilities", name)
    return student(rows), base(rows)


def total_variation(left: FloatArray, right: FloatArray) -> FloatArray:
    """Half the sum of absolute differences, `(b,)`."""
    distance: FloatArray = 0.5 * np.abs(left - right).sum(axis=1)
    return np.clip(distance, 0.0, 1.0)


def jensen_shannon(left: FloatArray, right: FloatArray) -> FloatArray:
    """Jensen-Shannon divergence in bits, `(b,)`; 0 log 0 is 0."""
    first, second = left.astype(np.float64), right.astype(np.float64)
    middle = (first + second) / 2
    total = np.zeros(len(first))
    for part in (first, second):
        ratio = np.divide(part, middle, out=np.ones_like(part), where=part > 0)
        total += 0.5 * (part * np.log2(ratio)).sum(axis=1)
    return np.clip(total, 0.0, 1.0).astype(np.float32)


class TotalVariation:
    """Total variation distance between pf and p0."""

    name = "total-variation"
    needs: tuple[Need, ...] = ("student", "base")

    def score(self, pool: Pool, rows: IntArray) -> FloatArray:
        """`0.5 * sum_c |pf_c - p0_c|`."""
        return total_variation(*both(pool, rows, self.name))


class JensenShannon:
    """Jensen-Shannon divergence between pf and p0, in bits."""

    name = "jensen-shannon"
    needs: tuple[Need, ...] = ("student", "base")

    def score(self, pool: Pool, rows: IntArray) -> FloatArray:
        """`0.5 KL(pf || m) + 0.5 KL(p0 || m)`, m their mean."""
        return jensen_shannon(*both(pool, rows, self.name))


class LabelDifference:
    """Difference at the student's label: the closest to the published difference in prediction scores."""

    name = "label-difference"
    needs: tuple[Need, ...] = ("student", "base")

    def score(self, pool: Pool, rows: IntArray) -> FloatArray:
        """`|pf_y - p0_y|` at y = argmax pf."""
        student, base = both(pool, rows, self.name)
        places = np.arange(len(rows)), student.argmax(axis=1)
        difference: FloatArray = np.abs(student[places] - base[places])
        return difference


class Rise:
    """How far the expected grade of the student is above the base model's; with `sign` -1 below. Labels are grades in
    order."""

    needs: tuple[Need, ...] = ("student", "base")

    def __init__(self, sign: float = 1.0) -> None:
        self._sign, self.name = sign, "rise" if sign > 0 else "fall"

    def score(self, pool: Pool, rows: IntArray) -> FloatArray:
        """`sign * (E pf - E p0) / (C - 1)`, in [-1, 1]."""
        student, base = both(pool, rows, self.name)
        grades = np.linspace(0.0, self._sign, student.shape[1]).astype(np.float32)
        return np.asarray((student - base) @ grades, np.float32)


class Flip:
    """Whether student and base model disagree about the label."""

    name = "flip"
    needs: tuple[Need, ...] = ("student", "base")

    def score(self, pool: Pool, rows: IntArray) -> FloatArray:
        """1 where the labels differ, else 0; a tie of probabilities goes to the lower label number."""
        student, base = both(pool, rows, self.name)
        flipped: FloatArray = (student.argmax(axis=1) != base.argmax(axis=1)).astype(np.float32)
        return flipped
