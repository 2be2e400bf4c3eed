"""Write the tables and plots of docs/evidence/quality.md from the benchmark's JSON.

    python -m benchmarks.quality.docs RUN.json [RUN.json ...] --into docs/evidence/quality.md

The figures go into the JSON beside the page, and from there into it (`benchmarks.shared.tables`).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from benchmarks.quality.aims import aims_table, runs_text
from benchmarks.quality.report import markdown, summary, write_report
from benchmarks.quality.rows import OURS, Row
from benchmarks.shared import tables

NAMES = {  # of the report's tables, by the first word of their heading
    "Kinds": "kinds",
    "Pool": "train",
    "Texts": "test",
    "People": "people",
    "Fifty": "fifty",
    "Conformal": "conformal",
}


def merged(paths: list[Path]) -> list[Row]:
    """Rows of several runs, each measurement once."""
    rows: dict[tuple[Any, ...], Row] = {}
    for path in paths:
        for row in json.loads(path.read_text())["rows"]:
            named = ("dataset", "teacher", "variant", "method", "seed", "human", "part")
            rows.setdefault(tuple(row.get(name) for name in named), row)
    return sorted(rows.values(), key=lambda row: (row["teacher"] == "similarity", row["teacher"], row["dataset"]))


def earlier(paths: list[Path]) -> list[Row]:
    """What an earlier program's `shortlist` reached, as rows of the method `before`."""
    return [row | {"method": "before"} for row in merged(paths) if row["method"] == OURS]


def summary_table(rows: list[Row]) -> str:
    """The summary as a table of its own."""
    lines = ["| figure | value |", "|---|---|"]
    for name, value in summary(rows).items():
        shown = ", ".join(f"{job} {gain:+.1f}" for job, gain in value.items()) if isinstance(value, dict) else value
        lines.append(f"| {name.replace('_', ' ')} | {'-' if shown is None else shown} |")
    return "\n".join(lines)


def made(rows: list[Row]) -> dict[str, str]:
    """Every table of the page that the rows have figures for, by its name there."""
    found = {"runs": runs_text(rows), "aims": aims_table(rows), "summary": summary_table(rows)}
    found |= {NAMES[title.split()[0].rstrip(":,")]: table for title, table in tables.sections(markdown(rows)).items()}
    return found | {"scale": scale_table(rows)}


def scale_table(rows: list[Row]) -> str:
    """What a head cost on large pools."""
    lines = ["| rows | labels | epochs | seconds | peak MiB | without mapped files, MiB |", "|---|---|---|---|---|---|"]
    names = ("rows", "labels", "epochs", "seconds", "peak_mib", "private_mib")
    found = sorted((row for row in rows if row["method"] == "scale"), key=lambda row: int(row["rows"]))
    return "\n".join([*lines, *("| " + " | ".join(f"{row[name]:,}" for name in names) + " |" for row in found)])


def main() -> None:
    """Merge the runs, draw the plots, replace the tables."""
    parser = argparse.ArgumentParser(description="Tables of docs/evidence/quality.md from benchmark runs")
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--into", type=Path, required=True)
    parser.add_argument("--before", type=Path, nargs="*", default=[], help="runs of an earlier program, to compare")
    given = parser.parse_args()
    rows = merged(given.runs) + earlier(given.before)
    page: Path = given.into
    tables.keep(page, made(rows))
    plots = page.parent.parent / "images" / "quality.json"
    write_report(plots, rows)
    plots.with_suffix(".md").unlink()


if __name__ == "__main__":
    main()
