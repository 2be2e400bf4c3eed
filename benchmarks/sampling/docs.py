"""Write the tables and the plot of docs/evidence/sampling.md from stored runs.

    python -m benchmarks.sampling.docs main=FILE.json more=FILE.json product=FILE.json --into docs/evidence/sampling.md

The tables of the run `main` have the names of their groups (`shifted, all`); those of others begin with the run's name
(`more: shifted, all`). `splits` is the table split by split, `rest` what the rest of the pool adds in a run with
`--student product`, and a run of `benchmarks.sampling.ways` has one table, named like the run. The plot is that of
`main`. The figures go into the JSON beside the page, and from there into it.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from benchmarks.sampling import product, ways
from benchmarks.sampling.report import Rows, by_split, group_table, plot, summary
from benchmarks.shared import tables

MAIN = "main"


def made(run: str, rows: Rows) -> dict[str, str]:
    """Every table of a run by its name on the page."""
    if all("way" in row for row in rows):
        return {run: ways.markdown(rows)}
    if any(row["method"].endswith(product.REST) for row in rows):
        found = {"rest": product.markdown(product.summary(rows))}
    else:
        one = summary(rows)
        found = {name: group_table(name, part, one["default"]) for name, part in one["groups"].items()}
        found["splits"] = by_split(one)
    return found if run == MAIN else {f"{run}: {name}": table for name, table in found.items()}


def main() -> None:
    """Replace the tables that the runs have and the page asks for; draw the plot."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", metavar="NAME=RUN.json")
    parser.add_argument("--into", type=Path, required=True, help="the page")
    given = parser.parse_args()
    page: Path = given.into
    runs = {
        name: json.loads(Path(file).read_text())["rows"] for name, _, file in (r.partition("=") for r in given.runs)
    }
    found = {name: table for run, rows in runs.items() for name, table in made(run, rows).items()}
    asked = tables.places(page.read_text(encoding="utf-8"))
    if unknown := [run for run, rows in runs.items() if not asked & set(made(run, rows))]:
        parser.error(f"the page has no place for tables of the run {', '.join(unknown)}")
    tables.keep(page, {name: table for name, table in found.items() if name in asked})
    if MAIN in runs:
        plot(runs[MAIN], page.parent.parent / "images" / "sampling.svg")


if __name__ == "__main__":
    main()
