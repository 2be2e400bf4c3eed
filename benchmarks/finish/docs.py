"""Write the tables of docs/evidence/finish.md from the benchmark's JSON.

    python -m benchmarks.finish.docs RUN.json --stored STORED.json --into docs/evidence/finish.md

The figures go into the JSON beside the page, and from there into it (`benchmarks.shared.tables`).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.shared import tables

Row = dict[str, Any]
CHOSEN_ON = {
    *(f"gemma-3-270m/{name}" for name in ("ag_news", "csabstruct", "dbpedia14", "trec")),
    *("gpt-3.5/mr", "llms-13/babe", "similarity/hate_tweets", "similarity/sms_spam"),
}  # with seed 0: on these the plan of the looks was chosen


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


def worlds(rows: Sequence[Row]) -> str:
    """One row per made-up world."""
    lines = ["| world | promises | broken | people's share |", "|---|---|---|---|"]
    lines += [
        f"| {row['world']} | {row['repetitions']} | {row['broken']} | {100 * row['people']:.1f} |" for row in rows
    ]
    return "\n".join(lines)


def stored(rows: Sequence[Row]) -> str:
    """One row per student and set: means over seeds and audits, those that the plan was chosen on last."""
    lines = ["| set | student | seeds | broken promises | people's share | errors known | PAC labels |",
             f"|{' --- |' * 7}"]  # fmt: skip
    found: dict[tuple[bool, str, str], list[Row]] = {}
    for row in rows:
        found.setdefault((row["dataset"] in CHOSEN_ON, row["student"], row["dataset"]), []).append(row)
    for (chosen, student, name), mine in sorted(found.items()):
        shares = " | ".join(f"{100 * fmean(row[one] for row in mine):.1f}" for one in ("people", "known", "pac"))
        seeds = ", ".join(str(row["seed"]) for row in mine)
        broken = f"{sum(row['broken'] for row in mine)} of {sum(row['draws'] for row in mine):,}"
        lines.append(f"| {name}{'*' if chosen else ''} | {student} | {seeds} | {broken} | {shares} |")
    return "\n".join(lines)


def main() -> None:
    """Replace the tables of a page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="the result file, JSON")
    parser.add_argument("--stored", type=Path, nargs="+", default=(), help="results of benchmarks.finish.stored")
    parser.add_argument("--parts", type=Path, help="the result of benchmarks.finish.part_worlds")
    parser.add_argument("--into", type=Path, required=True, help="the page")
    given = parser.parse_args()
    summary = json.loads(given.run.read_text())["summary"]
    found = {"methods": methods(summary), "worlds": worlds(summary["validity"])}
    if given.parts:
        found["parts"] = worlds(json.loads(given.parts.read_text()))
    if given.stored:
        found["stored"] = stored([row for path in given.stored for row in json.loads(path.read_text())])
    tables.keep(given.into, found)


if __name__ == "__main__":
    main()
