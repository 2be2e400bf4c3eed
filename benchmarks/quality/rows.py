"""Rows of the benchmark, and what is computed from them."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

Row = dict[str, Any]
ORDER = (
    "teacher", "teacher-single", "distillation", "distillation-single", "uniform", "renormalised", "refinery", "freeal",
    "shortlist", "gold",
)  # fmt: skip
MEASURES = ("train_accuracy", "test_accuracy")


def grouped(rows: Iterable[Row], name: Callable[[Row], Any]) -> dict[Any, list[Row]]:
    """Rows by the value of `name`, in order of first appearance."""
    found: dict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        found[name(row)].append(row)
    return dict(found)


def mean(rows: Sequence[Row], measure: str) -> float | None:
    """Mean over seeds; None without any figure."""
    values = [row[measure] for row in rows if row.get(measure) is not None]
    return statistics.fmean(values) if values else None


def spread(rows: Sequence[Row], measure: str) -> float:
    """Standard deviation over seeds, 0 with fewer than two."""
    values = [row[measure] for row in rows if row.get(measure) is not None]
    return statistics.stdev(values) if len(values) > 1 else 0.0


def job_of(row: Row) -> str:
    """Teacher and data set of a row."""
    return f"{row['teacher']}/{row['dataset']}"


def table_rows(rows: Iterable[Row]) -> dict[str, dict[str, list[Row]]]:
    """Rows without human labels, by job and method."""
    plain = [row for row in rows if not row.get("human") and row["method"] in ORDER]
    return {job: grouped(found, lambda row: row["method"]) for job, found in grouped(plain, job_of).items()}


def gains(rows: Iterable[Row], base: str = "distillation", method: str = "shortlist") -> dict[str, dict[str, float]]:
    """Gain of `method` over `base` per job and measure, points."""
    found: dict[str, dict[str, float]] = {}
    for job, methods in table_rows(rows).items():
        for measure in MEASURES:
            ours, theirs = mean(methods.get(method, []), measure), mean(methods.get(base, []), measure)
            if ours is not None and theirs is not None:
                found.setdefault(job, {})[measure] = ours - theirs
    return found


def average(values: Iterable[float | None]) -> float | None:
    """Mean of what is known, rounded; None if nothing is."""
    known = [value for value in values if value is not None]
    return round(statistics.fmean(known), 3) if known else None
