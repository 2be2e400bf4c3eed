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

from benchmarks.finish.rivals import OF_ROUND, SINGLE_ROUND
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


def stored(rows: Sequence[Row], rounds: Sequence[Row] = ()) -> str:
    """One row per student and set: means over seeds and audits, those that the plan was chosen on last. `rounds`: what
    the rival's student of one round makes of the same sets."""
    lines = ["| set | student | seeds | broken promises | people's share | errors known | PAC labels | one round |",
             f"|{' --- |' * 8}"]  # fmt: skip
    found: dict[tuple[bool, str, str], list[Row]] = {}
    for row in rows:
        found.setdefault((row["dataset"] in CHOSEN_ON, row["student"], row["dataset"]), []).append(row)
    for (chosen, student, name), mine in sorted(found.items()):
        shares = " | ".join(f"{100 * fmean(row[one] for row in mine):.1f}" for one in ("people", "known", "pac"))
        seeds = ", ".join(str(row["seed"]) for row in mine)
        broken = f"{sum(row['broken'] for row in mine)} of {sum(row['draws'] for row in mine):,}"
        same = [row for row in rounds if (row["student"], row["dataset"]) == (student, name)]
        same = [row for row in same if (row["labels"], row["draws"]) == (SINGLE_ROUND, OF_ROUND)]
        rival = f"{100 * fmean(row['people'] for row in same):.1f}" if same else "–"
        lines.append(f"| {name}{'*' if chosen else ''} | {student} | {seeds} | {broken} | {shares} | {rival} |")
    return "\n".join(lines)


def sizes(rounds: Sequence[Row]) -> str:
    """People's share by size of the round and of the sample, mean over the pools that all were tried on."""
    tried: dict[tuple[int, int], dict[str, float]] = {}
    for row in rounds:
        tried.setdefault((row["labels"], row["draws"]), {})[f"{row['dataset']} {row['seed']}"] = row["people"]
    pools = sorted(set.intersection(*(set(found) for found in tried.values())))
    lines = ["| labels of the round | draws | people's share | pools |", "|---|---|---|---|"]
    lines += [
        f"| {labels} | {draws} | {100 * fmean(found[one] for one in pools):.1f} | {len(pools)} |"
        for (labels, draws), found in sorted(tried.items())
    ]
    return "\n".join(lines)


def real(rows: Sequence[Row]) -> str:
    """One row per set and promise."""
    lines = ["| set | at most 10 % of | parts | broken promises | people's share |", "|---|---|---|---|---|"]
    lines += [
        f"| {row['set']} | {row['promise']} | {row['parts']} | {row['broken']} of {row['repetitions']} | "
        f"{100 * row['people']:.1f} |"
        for row in rows
    ]
    return "\n".join(lines)


def main() -> None:
    """Replace the tables of a page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="the result file, JSON")
    parser.add_argument("--stored", type=Path, nargs="+", default=(), help="results of benchmarks.finish.stored")
    parser.add_argument("--parts", type=Path, help="the result of benchmarks.finish.part_worlds")
    parser.add_argument("--rounds", type=Path, help="the result of benchmarks.finish.rounds")
    parser.add_argument("--real", type=Path, help="the result of benchmarks.finish.real_parts")
    parser.add_argument("--into", type=Path, required=True, help="the page")
    given = parser.parse_args()
    summary = json.loads(given.run.read_text())["summary"]
    found = {"methods": methods(summary), "worlds": worlds(summary["validity"])}
    if given.parts:
        found["parts"] = worlds(json.loads(given.parts.read_text()))
    if given.real:
        found["real"] = real(json.loads(given.real.read_text()))
    rounds = json.loads(given.rounds.read_text()) if given.rounds else ()
    if rounds:
        found["sizes"] = sizes(rounds)
    if given.stored:
        found["stored"] = stored([row for path in given.stored for row in json.loads(path.read_text())], rounds)
    tables.keep(given.into, found)


if __name__ == "__main__":
    main()
