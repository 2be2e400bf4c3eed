"""Write the tables of docs/evidence/answers.md from the benchmark's JSON.

    python -m benchmarks.answers.docs RUN.json [RUN.json ...] --into docs/evidence/answers.md

The figures go into the JSON beside the page, and from there into it (`benchmarks.shared.tables`).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.shared import tables

OWN = "own texts, "
PEOPLE = ("none", "50", "5 %", "all")


def table(summary: dict[str, dict[str, float]]) -> str:
    """One row per set and teacher, one column per figure about new texts; "" without any."""
    return _table("set", {name: {key: value for key, value in row.items() if not key.startswith(OWN)}
                          for name, row in summary.items()})  # fmt: skip


def own(summary: dict[str, dict[str, float]], asked: dict[str, dict[str, float]]) -> str:
    """One row per set: teacher and student on the texts that the student has learned from."""
    rows = {name: {key.removeprefix(OWN): value for key, value in row.items() if key.startswith(OWN)}
            for name, row in summary.items()}  # fmt: skip
    for name, row in asked.items():
        if name.endswith(", pool texts"):
            rows[name.removesuffix(", pool texts")] = {
                f"{people}: {method}": row[f"{method}, {people} of people's answers"]
                for people in PEOPLE[:-1]
                for method in ("teacher", "student")
            }
    return _table("set", rows)


def questions(asked: dict[str, dict[str, float]]) -> str:
    """One row per question: the teacher, a student of all questions, and one of each alone, on new texts."""
    rows = {}
    for name, row in asked.items():
        if name.endswith(", new texts"):
            rows[name.removesuffix(", new texts")] = {
                "teacher": row["teacher, none of people's answers"],
                **{
                    f"{method}, {people}": row[f"{method}, {people} of people's answers"]
                    for method in ("student", "student of each alone")
                    for people in PEOPLE
                },
            }
    return _table("set and question", rows)


def spaces(found: dict[str, dict[str, float]], figure: str) -> str:
    """One row per set and method with so many of people's labels, of sets with this figure; about new texts."""
    return _table("set, method, people's labels", {name: row for name, row in found.items() if figure in row})


def _table(what: str, rows: dict[str, dict[str, float]]) -> str:
    if not rows:
        return ""
    columns = list(next(iter(rows.values())))
    lines = [f"| {what} | {' | '.join(columns)} |", f"|{' --- |' * (len(columns) + 1)}"]
    return "\n".join(
        [*lines, *(f"| {name} | {' | '.join(str(row[one]) for one in columns)} |" for name, row in rows.items())]
    )


def merged(runs: Sequence[dict[str, Any]], part: str) -> dict[str, dict[str, float]]:
    """A part of several runs, of different sets."""
    return {name: row for run in runs for name, row in run.get(part, {}).items()}


def main() -> None:
    """Replace the tables of a page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs="+", help="result files, JSON")
    parser.add_argument("--into", type=Path, required=True, help="the page")
    given = parser.parse_args()
    runs = [json.loads(run.read_text()) for run in given.runs]
    summary, asked = merged(runs, "summary"), merged(runs, "questions")
    found = merged(runs, "levels")
    made = {"answers": table(summary), "questions": questions(asked), "own": own(summary, asked)}
    tables.keep(given.into, made | {"tree": spaces(found, "branch"), "levels": spaces(found, "mean_error")})


if __name__ == "__main__":
    main()
