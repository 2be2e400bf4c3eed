"""Write the tables of docs/evidence/committee.md from stored runs.

    python -m benchmarks.committee.docs main=RUN.json ablations=RUN.json --into docs/evidence/committee.md

`main` has the sets, `ablations` (made with `--ablations`), `older` and `encoder` (with `--mixes`) other settings. The
figures go into the JSON beside the page, and from there into it (`benchmarks.shared.tables`).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from benchmarks.committee.report import Rows, markdown, summary
from benchmarks.shared import tables

NAMES = {"Tasks": "annotated", "New": "new", "Price": "price"}  # by the first word of the heading
SETTINGS = "Other"
RUNS = ("main", "ablations", "older", "encoder")


def made(run: str, rows: Rows) -> dict[str, str]:
    """The tables of a run by their names on the page: those of the sets, or the one of other settings."""
    found = {title.split()[0]: table for title, table in tables.sections(markdown(summary(rows))).items()}
    if run == "main":
        return {NAMES[word]: table for word, table in found.items() if word in NAMES}
    return {run: found[SETTINGS]} if SETTINGS in found else {}


def main() -> None:
    """Replace the tables that the runs have."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", metavar="NAME=RUN.json", help=f"NAME is one of {', '.join(RUNS)}")
    parser.add_argument("--into", type=Path, required=True, help="the page")
    given = parser.parse_args()
    found: dict[str, str] = {}
    for run, _, file in (one.partition("=") for one in given.runs):
        tables_of_run = made(run, json.loads(Path(file).read_text())["rows"]) if run in RUNS else {}
        if not tables_of_run:
            parser.error(f"{run}={file} is no run with a table of the page; begin with one of {', '.join(RUNS)}")
        found |= tables_of_run
    tables.keep(given.into, found)


if __name__ == "__main__":
    main()
