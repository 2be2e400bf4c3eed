"""Two methods on the very same tasks: which of them each had right, kept with the rows, and how they differ by task.

Accuracies of two methods share the luck of which tasks are easy; differences by task do not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from benchmarks.quality.rows import Row, job_of
from model.arrays import BoolArray

NORMAL = 1.96  # standard errors of a 95 % interval
OPEN, POOL, NEW = "open_tasks", "pool_right", "new_right"
Point: TypeAlias = tuple[str, float]  # a method and its human labels
Interval: TypeAlias = tuple[float, float] | None  # mean and half the width; None where it was not measured


def packed(flags: BoolArray) -> str:
    """One bit a task, as hexadecimal digits.

    >>> packed(np.array([True, False, True]))
    'a0'
    """
    return np.packbits(flags).tobytes().hex()


def unpacked(digits: str, count: int) -> BoolArray:
    """The first `count` bits of what was packed.

    >>> unpacked("a0", 3).tolist()
    [True, False, True]
    """
    return np.unpackbits(np.frombuffer(bytes.fromhex(digits), np.uint8), count=count).astype(np.bool_)


def differences(rows: Sequence[Row], ours: Point, theirs: Point) -> dict[str, tuple[Interval, Interval]]:
    """By job: points by which `ours` is above `theirs`, on the pool's tasks that nobody labelled and on new texts, with
    95 % intervals over tasks; of each task its mean over the seeds in which it counts. Points are a method and its
    number of human labels."""
    ours_by, theirs_by = (_by_job_and_seed(rows, *point) for point in (ours, theirs))
    pairs: dict[str, list[tuple[Row, Row]]] = {}
    for (job, seed), one in ours_by.items():
        if (job, seed) in theirs_by:
            pairs.setdefault(job, []).append((one, theirs_by[job, seed]))
    parts = ((POOL, "train_rows"), (NEW, "new_texts"))
    return {job: (_interval(found, *parts[0]), _interval(found, *parts[1])) for job, found in pairs.items()}


def _by_job_and_seed(rows: Sequence[Row], method: str, human: float) -> dict[tuple[str, int], Row]:
    found = [row for row in rows if row["method"] == method and row.get("human", 0.0) == human]
    return {(job_of(row), int(row["seed"])): row for row in found}


def _interval(pairs: Sequence[tuple[Row, Row]], right: str, counted: str) -> Interval:
    pairs = [pair for pair in pairs if all(right in row for row in pair)]
    if not pairs:
        return None
    count = int(pairs[0][0][counted])
    gains, seen = np.zeros(count), np.zeros(count)
    for ours, theirs in pairs:
        open_tasks = np.ones(count, np.bool_)
        for row in (ours, theirs) if right == POOL else ():
            open_tasks &= unpacked(row[OPEN], count)
        found = [unpacked(row[right], count).astype(np.float64) for row in (ours, theirs)]
        gains += np.where(open_tasks, found[0] - found[1], 0.0)
        seen += open_tasks
    known = 100 * gains[seen > 0] / seen[seen > 0]
    return (float(known.mean()), NORMAL * float(known.std(ddof=1)) / math.sqrt(len(known))) if len(known) > 1 else None


def shown(found: Interval) -> str:
    """For a cell.

    >>> shown((4.25, 1.0))
    '+4.2 ± 1.0'
    """
    return "-" if found is None else "{:+.1f} ± {:.1f}".format(*found)
