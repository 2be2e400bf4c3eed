"""Write the tables of docs/quality.md from the benchmark's JSON.

    python -m benchmarks.quality.docs RUN.json [RUN.json ...] --into docs/quality.md

Everything between the markers `<!-- NAME -->` and `<!-- end of NAME -->` is replaced, for the names runs, aims, scale
and tables; plots go beside the page.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from benchmarks.quality.aims import aims_table, runs_text
from benchmarks.quality.report import markdown, summary, write_report
from benchmarks.quality.rows import Row

PARTS = ("runs", "aims", "scale", "tables")


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


def filled(text: str, rows: list[Row]) -> str:
    """The page with everything between its markers made from the rows; ValueError if a marker is missing."""
    tables = f"{summary_table(rows)}\n\n{markdown(rows)}".rstrip()
    contents = (runs_text(rows), aims_table(rows), scale_table(rows), tables)
    for name, content in zip(PARTS, contents, strict=True):
        start, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
        before, after = text[: text.index(start) + len(start)], text[text.index(end) :]
        text = f"{before}\n\n{content}\n\n{after}"
    return text


def scale_table(rows: list[Row]) -> str:
    """What a head cost on large pools."""
    lines = ["| rows | labels | epochs | seconds | peak MiB | without mapped files, MiB |", "|---|---|---|---|---|---|"]
    names = ("rows", "labels", "epochs", "seconds", "peak_mib", "private_mib")
    found = sorted((row for row in rows if row["method"] == "scale"), key=lambda row: int(row["rows"]))
    return "\n".join([*lines, *("| " + " | ".join(f"{row[name]:,}" for name in names) + " |" for row in found)])


def main() -> None:
    """Merge the runs, draw the plots, replace the tables."""
    parser = argparse.ArgumentParser(description="Tables of docs/quality.md from benchmark runs")
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--into", type=Path, required=True)
    given = parser.parse_args()
    rows = merged(given.runs)
    page: Path = given.into
    page.write_text(filled(page.read_text(), rows))
    plots = page.parent / "images" / "quality.json"
    write_report(plots, rows)
    plots.with_suffix(".md").unlink()


if __name__ == "__main__":
    main()
