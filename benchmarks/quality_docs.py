"""Write the tables of docs/quality.md from the benchmark's JSON.

    python -m benchmarks.quality_docs RUN.json [RUN.json ...] --into docs/quality.md

Everything between the markers `<!-- tables -->` and `<!-- end of tables -->` is replaced; plots go beside the page.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from benchmarks.quality_report import Row, markdown, summary, write_report

START, END = "<!-- tables -->", "<!-- end of tables -->"


def merged(paths: list[Path]) -> list[Row]:
    """Rows of several runs, each measurement once."""
    rows: dict[tuple[Any, ...], Row] = {}
    for path in paths:
        for row in json.loads(path.read_text())["rows"]:
            named = ("dataset", "teacher", "method", "seed", "human", "part")
            rows.setdefault(tuple(row.get(name) for name in named), row)
    return sorted(rows.values(), key=lambda row: (row["teacher"] == "similarity", row["teacher"], row["dataset"]))


def summary_table(rows: list[Row]) -> str:
    """The summary as a table of its own."""
    lines = ["| figure | value |", "|---|---|"]
    for name, value in summary(rows).items():
        shown = ", ".join(f"{job} {gain:+.1f}" for job, gain in value.items()) if isinstance(value, dict) else value
        lines.append(f"| {name.replace('_', ' ')} | {'-' if shown is None else shown} |")
    return "### Summary\n\n" + "\n".join(lines)


def main() -> None:
    """Merge the runs, draw the plots, replace the tables."""
    parser = argparse.ArgumentParser(description="Tables of docs/quality.md from benchmark runs")
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--into", type=Path, required=True)
    given = parser.parse_args()
    rows = merged(given.runs)
    page: Path = given.into
    text = page.read_text()
    before, after = text[: text.index(START) + len(START)], text[text.index(END) :]
    page.write_text(f"{before}\n\n{summary_table(rows)}\n\n{markdown(rows)}\n{after}")
    plots = page.parent / "images" / "quality.json"
    write_report(plots, rows)
    plots.with_suffix(".md").unlink()


if __name__ == "__main__":
    main()
