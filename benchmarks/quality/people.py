"""One number of labels by people: every job of a run, the student beside what else these labels can be used for.

    python -m benchmarks.quality.people RUN.json [RUN.json ...] --labels 50 --as setfit --into docs/evidence/quality.md

Each cell is accuracy on the pool's unlabelled tasks / on new texts, mean over seeds; the last line is the mean of sets.
With `--paired METHOD` the table is of differences to that method instead, task by task, with 95 % intervals.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence
from pathlib import Path

from benchmarks.quality.docs import merged
from benchmarks.quality.paired import differences, shown
from benchmarks.quality.report import lines
from benchmarks.quality.rows import MEASURES, Figures, Row, corpus_of, figures
from benchmarks.shared import tables

SHOWN = {  # columns by method; those of people's labels alone after ours
    "shortlist": "**shortlist**", "shortlist-adapted": "encoder adapted", "setfit": "alone: SetFit",
    "supervised": "alone: head", "logistic-people": "alone: logistic", "commonest": "alone: commonest",
}  # fmt: skip
WITHOUT = {"teacher": "teacher", "distillation": "plain, none", "logistic": "logistic, none", "shortlist": "none"}


def people_table(rows: Sequence[Row], labels: float) -> str:
    """The jobs that were measured with so many labels."""
    columns = {(name, 0.0): title for name, title in WITHOUT.items()}
    columns |= {(name, labels): title for name, title in SHOWN.items()}
    known = [figures(rows, measure) for measure in MEASURES]
    jobs = [job for job, found in known[0].items() if ("shortlist", labels) in found]
    kept = [column for column in columns if all(column in known[0][job] for job in jobs)]
    body = [[job, *(_cell([found.get(job, {}).get(column) for found in known]) for column in kept)] for job in jobs]
    means = [_cell([_mean(found, jobs, column) for found in known]) for column in kept]
    return lines(["pool / new texts", *(columns[column] for column in kept)], [*body, ["**mean of sets**", *means]])


def paired_table(rows: Sequence[Row], labels: float, against: str) -> str:
    """Every other method with so many labels minus `against`, on the same tasks."""
    found = {name: differences(rows, (name, labels), (against, labels)) for name in SHOWN if name != against}
    measured = [name for name, of_jobs in found.items() if of_jobs]
    jobs = dict.fromkeys(job for name in measured for job in found[name])
    nothing = (None, None)
    body = [[job, *(" / ".join(map(shown, found[name].get(job, nothing))) for name in measured)] for job in jobs]
    return lines(["pool / new texts, points", *(SHOWN[name] for name in measured)], body)


def _mean(found: Figures, jobs: Sequence[str], column: tuple[str, float]) -> float | None:
    """Every set once, with the mean of its jobs."""
    sets: dict[str, list[float]] = {}
    for job in jobs:
        value = found.get(job, {}).get(column)
        if value is not None:
            sets.setdefault(corpus_of(job), []).append(value)
    return statistics.fmean(map(statistics.fmean, sets.values())) if sets else None


def _cell(values: Sequence[float | None]) -> str:
    return " / ".join("-" if value is None else f"{value:.1f}" for value in values)


def main() -> None:
    """Merge the runs, replace one table."""
    parser = argparse.ArgumentParser(description="A table of one number of labels by people")
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--labels", type=float, required=True)
    parser.add_argument("--as", dest="name", required=True, help="the block of the page")
    parser.add_argument("--paired", choices=list(SHOWN), help="differences to this method")
    parser.add_argument("--into", type=Path, required=True)
    given = parser.parse_args()
    rows = merged(given.runs)
    if not any(row["human"] == given.labels for row in rows):
        parser.error(f"no row has {given.labels:g} labels by people")
    table = paired_table(rows, given.labels, given.paired) if given.paired else people_table(rows, given.labels)
    tables.keep(given.into, {given.name: table})


if __name__ == "__main__":
    main()
