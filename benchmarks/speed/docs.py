"""Write the tables and the plot of docs/evidence/speed.md from the benchmark's JSON.

    python -m benchmarks.speed.docs RUN.json --into docs/evidence/speed.md

The figures go into the JSON beside the page, and from there into it (`benchmarks.shared.tables`). A run of some parts
renews their lines; the others stay.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from benchmarks.shared import tables
from benchmarks.speed.report import aims, growth_plot, measurements, plot


def renewed(page: Path, name: str, markdown: str, key: Sequence[str]) -> str:
    """A kept table of the page with the lines of a run, each in the place of the one with the same cells in `key`."""
    path = tables.data_of(page)
    rows = json.loads(path.read_text())["rows"] if path.exists() else []
    kept = [{title: cell for title, cell in row.items() if title != "table"} for row in rows if row["table"] == name]
    lines = {tuple(str(row[title]) for title in key): row for row in [*kept, *tables.read(markdown)[1]]}
    return tables.shown(list(lines.values()))


def main() -> None:
    """Replace the tables of a page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="the result file, JSON")
    parser.add_argument("--into", type=Path, required=True, help="the page")
    given = parser.parse_args()
    result, page = json.loads(given.run.read_text()), given.into
    summary = {key: value for key, value in result["summary"].items() if value is not None}
    found = {
        "aims": renewed(page, "aims", aims(summary), ("what",)),
        "measurements": renewed(page, "measurements", measurements(result["rows"]), ("measurement", "of", "tasks")),
    }
    tables.keep(page, found)
    plot(result["rows"], page.parent.parent / "images" / "speed.svg")
    growth_plot(result["rows"], page.parent.parent / "images" / "growth.svg")


if __name__ == "__main__":
    main()
