"""Rows of the benchmark, and what is computed from them."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.shared.datasets import SIMILARITY, named
from benchmarks.shared.uneven import MOSTLY, ORDER

Row = dict[str, Any]
Figures = dict[str, dict[tuple[str, float], float]]  # job -> (method, human labels) -> mean over seeds
MEASURES = ("train_accuracy", "test_accuracy")
OURS, PLAIN = "shortlist", "distillation"
CHOSEN_ON = (
    "ag_news", "babe", "banking77", "dbpedia14", "discourse", "emotion", "flute", "gnad10", "hate_tweets", "mr", "raop",
    "sms_spam", "trec",
)  # fmt: skip
OTHERS = "sets on which nothing was chosen"
DRAWS = 4000  # of corpora, for intervals


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


def job_of(row: Row) -> str:
    """Teacher, data set and variant of a row."""
    return named(row["teacher"], row["dataset"], row.get("variant", ""))


def corpus_of(job: str) -> str:
    """The data set of a job, whoever its teacher and whatever was made of it."""
    return job.partition("/")[2].partition("+")[0]


def kind_of(job: str) -> str:
    """Which pools a job stands for."""
    if job.startswith(f"{SIMILARITY}/"):
        return "offline teacher, as the set is"
    variant = job.partition("+")[2]
    if not variant:
        return "LLM, about even"
    if variant == ORDER:
        return "LLM, order only"
    return "LLM, one label 75 to 95 %" if variant in MOSTLY else "LLM, steps and Zipf"


def figures(rows: Iterable[Row], measure: str) -> Figures:
    """The measure of every job, method and number of human labels: means over seeds, where there are any."""
    found: Figures = defaultdict(dict)
    for (job, *point), group in grouped(measured(rows), lambda row: (job_of(row), *_point(row))).items():
        value = mean(group, measure)
        if value is not None:
            found[job][point[0], point[1]] = value
    return dict(found)


def _point(row: Row) -> tuple[str, float]:
    return row["method"], float(row.get("human") or 0.0)


def measured(rows: Iterable[Row]) -> list[Row]:
    """Rows of jobs, without those of time and memory."""
    return [row for row in rows if row["method"] not in ("overhead", "scale")]


def below_chance(rows: Iterable[Row]) -> set[str]:
    """Jobs whose teacher is right less often on the stored pool than one label out of all at random."""
    rows = measured(rows)
    labels = {job_of(row): int(row["labels"]) for row in rows}
    stored = figures(rows, MEASURES[0])
    of_set = {job.partition("+")[0]: found for job, found in stored.items() if "+" not in job}
    shares = {job: of_set.get(job.partition("+")[0], stored.get(job, {})).get(("teacher", 0.0)) for job in labels}
    return {job for job, share in shares.items() if share is not None and share < 100.0 / labels[job]}


@dataclass(frozen=True)
class Difference:
    """Points by which one method is above another: by job, their mean over corpora with a 95 % interval."""

    of_jobs: dict[str, float]
    mean: float
    low: float
    high: float

    @property
    def lowest(self) -> tuple[float, str]:
        """The worst job."""
        return min((gain, job) for job, gain in self.of_jobs.items())

    def __str__(self) -> str:
        return f"{self.mean:+.1f} ({self.low:+.1f} to {self.high:+.1f})"


def difference(
    found: Mapping[str, Mapping[tuple[str, float], float]],
    ours: tuple[str, float],
    *theirs: tuple[str, float],
    jobs: Iterable[str] | None = None,
) -> Difference | None:
    """`ours` minus the best of `theirs` on the jobs where all are known; None where there is none.

    Every corpus counts once, with the mean of its jobs; intervals resample corpora, since splits and variants of one
    corpus say little about another.
    """
    gains = {}
    for job in found if jobs is None else jobs:
        known = found.get(job, {})
        if ours in known and all(one in known for one in theirs):
            gains[job] = known[ours] - max(known[one] for one in theirs)
    if not gains:
        return None
    corpora: dict[str, list[float]] = defaultdict(list)
    for job, gain in gains.items():
        corpora[corpus_of(job)].append(gain)
    means = np.array([statistics.fmean(group) for group in corpora.values()])
    draws = means[np.random.default_rng(0).integers(len(means), size=(DRAWS, len(means)))].mean(1)
    low, high = np.percentile(draws, (2.5, 97.5))
    return Difference(gains, float(means.mean()), float(low), float(high))


def average(values: Iterable[float | None]) -> float | None:
    """Mean of what is known, rounded; None if nothing is."""
    known = [value for value in values if value is not None]
    return round(statistics.fmean(known), 3) if known else None
