"""Two methods on the very same tasks: which of them each had right, kept with the rows, and how they differ by task.

Accuracies of two methods share the luck of which tasks are easy; differences by task do not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from benchmarks.quality.rows import Row, grouped, job_of
from model.arrays import BoolArray

NORMAL = 1.96  # standard errors of a 95 % interval
OPEN, POOL, NEW = "open_tasks", "pool_right", "new_right"
PARTS = ((POOL, OPEN), (NEW, ""))
LEAST = 2  # tasks of which a spread is known


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


def differences(rows: Sequence[Row], ours: str, theirs: str, labels: float) -> dict[str, list[str]]:
    """By job: points by which `ours` is above `theirs` with so many human labels, on the pool's open tasks and on new
    texts, with a 95 % interval over tasks; of each task its mean over the seeds in which it was open."""
    named = {name: [row for row in rows if row["method"] == name and row["human"] == labels] for name in (ours, theirs)}
    ours_by, theirs_by = (grouped(found, lambda row: (job_of(row), row["seed"])) for found in named.values())
    pairs = [(job, one[0], theirs_by[job, seed][0]) for (job, seed), one in ours_by.items() if (job, seed) in theirs_by]
    jobs = dict.fromkeys(job for job, *_ in pairs)
    return {job: [_cell([(a, b) for name, a, b in pairs if name == job], *part) for part in PARTS] for job in jobs}


def _cell(pairs: Sequence[tuple[Row, Row]], right: str, counted: str) -> str:
    pairs = [pair for pair in pairs if all(right in row for row in pair)]
    if not pairs:
        return "-"
    count = int(pairs[0][0]["train_rows" if right == POOL else "new_texts"])
    gains, seen = np.zeros(count), np.zeros(count)
    for ours, theirs in pairs:
        open_tasks = unpacked(ours[counted], count) if counted else np.ones(count, np.bool_)
        gains[open_tasks] += unpacked(ours[right], count)[open_tasks].astype(float)
        gains[open_tasks] -= unpacked(theirs[right], count)[open_tasks]
        seen += open_tasks
    known = 100 * gains[seen > 0] / seen[seen > 0]
    if len(known) < LEAST:
        return "-"
    return f"{known.mean():+.1f} ± {NORMAL * known.std(ddof=1) / math.sqrt(len(known)):.1f}"
