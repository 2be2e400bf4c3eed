"""Write the tables of docs/evidence/finish.md from the benchmark's JSON.

    python -m benchmarks.finish.docs RUN.json --into docs/evidence/finish.md

The figures go into the JSON beside the page, and from there into it (`benchmarks.shared.tables`).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from benchmarks.shared import tables

Row = dict[str, Any]


def methods(summary: Row) -> str:
    """One row per method, and its share of human decisions by set."""
    found = summary["methods"]
    sets = list(next(iter(found.values()))["by_set"])
    lines = [f"| method | broken promises | people's share, mean | error, mean | error, worst | {' | '.join(sets)} |",
             f"|{' --- |' * (len(sets) + 5)}"]  # fmt: skip
    for name, row in found.items():
        broken = f"{row['violations']} of {row['promises']}" if row["promises"] else "none made"
        shares = " | ".join(f"{100 * row['by_set'][one]:.1f}" for one in sets)
        lines.append(
            f"| {name} | {broken} | {100 * row['human_share']:.1f} | {100 * row['mean_error']:.1f} | "
            f"{100 * row['worst_error']:.1f} | {shares} |"
        )
    return "\n".join(lines)


def worlds(summary: Row) -> str:
    """One row per made-up world."""
    lines = ["| world | promises | broken | people's share |", "|---|---|---|---|"]
    lines += [
        f"| {row['world']} | {row['repetitions']} | {row['broken']} | {100 * row['people']:.1f} |"
        for row in summary["validity"]
    ]
    return "\n".join(lines)


def main() -> None:
    """Replace the tables of a page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="the result file, JSON")
    parser.add_argument("--into", type=Path, required=True, help="the page")
    given = parser.parse_args()
    summary = json.loads(given.run.read_text())["summary"]
    tables.keep(given.into, {"methods": methods(summary), "worlds": worlds(summary)})


if __name__ == "__main__":
    main()
