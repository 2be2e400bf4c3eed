"""Write the tables of docs/evidence/teacher.md from the JSON of benchmarks.teacher, teacher.faults and teacher.llm.

    python -m benchmarks.teacher.docs RUN.json [RUN.json ...] --into docs/evidence/teacher.md

The figures go into the JSON beside the page, and from there into it (`benchmarks.shared.tables`).
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.shared import tables

NAMES = {"banking77": "Banking77 (77 labels)", "trec": "TREC (6 labels)", "ag_news": "AG News (4 labels)"}
EXAMPLES = ("no examples", "fixed", "nearest", "written examples")
STRATEGIES = ("single", "unsure", "all")
Row = dict[str, Any]


def cost_table(rows: Sequence[Row], strategies: Sequence[str] = STRATEGIES, ways: Sequence[str] = ()) -> str:
    """What 1,000 tasks cost, by data set and model; with `ways` only in these."""
    head = ["data set", "model", "strategy", "how", "input tokens", "of them cached", "output tokens", "price",
            "by batch", "label is shown"]  # fmt: skip
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    batches = {
        (row["dataset"], row["model"], row["strategy"], row["way"]): row["usd"]
        for row in rows
        if row["way"].endswith(", batch")
    }
    for row in rows:
        batch = batches.get((row["dataset"], row["model"], row["strategy"], row["way"] + ", batch"))
        if batch is not None and row["strategy"] in strategies and (not ways or row["way"] in ways):
            lines.append(
                f"| {NAMES.get(row['dataset'], row['dataset'])} | `{row['model']}` | {row['strategy']} | {row['way']} "
                f"| {row['input_tokens']:,} | {row['cached_tokens']:,} | {row['output_tokens']:,} "
                f"| ${row['usd']:.3f} | ${batch:.3f} | {row['true_label_shown']:.1%} |"
            )
    return "\n".join(lines)


def quality_table(rows: Sequence[Row]) -> str:
    """The offline teacher, and how many nearest labels hold the true one."""
    names = ("coverage", "set_size", "f1", "top1", "nearest_10", "nearest_20", "nearest_30")
    table = ["| data set | " + " | ".join(names).replace("_", " ") + " |", "|---" * (len(names) + 1) + "|"]
    for row in rows:
        cells = ["" if row.get(name) is None else f"{row[name]:.3f}" for name in names]
        table.append(f"| {row['dataset']} | {' | '.join(cells)} |")
    return "\n".join(table)


def llm_table(rows: Sequence[Row]) -> str:
    """What a real LLM's shortlists are worth, by the way it is asked; the caption names models and texts."""
    head = ["data set", "asked for, examples", "coverage", "set size", "top-1", "difference", "no answer", "calls",
            "input tokens", "of them cached", "output tokens"]  # fmt: skip
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    models = {row["model"] for row in rows}
    for dataset, model in dict.fromkeys((row["dataset"], row["model"]) for row in rows):
        chosen = sorted((row for row in rows if (row["dataset"], row["model"]) == (dataset, model)), key=order)
        name = f"{NAMES.get(dataset, dataset)}{f', {model}' if len(models) > 1 else ''}"
        lines += [f"| {name} {llm_line(row, base_of(row, chosen))}" for row in chosen]
    texts = sorted({f"{row['rows']} {row['part']} texts" for row in rows})
    return f"{', '.join([*sorted(models), *texts])}\n\n" + "\n".join(lines)


def order(row: Row) -> tuple[int, int, str]:
    """By examples, then several texts per call, then strategy."""
    prompt, examples, *more = row["way"].split(", ")
    return EXAMPLES.index(examples), len(more), f"{STRATEGIES.index(prompt)} {more}"


def base_of(row: Row, others: Sequence[Row]) -> Row | None:
    """What a way is compared with: the same without several texts per call, else without examples, else `single`."""
    prompt, examples, *more = row["way"].split(", ")
    simpler = [f"{prompt}, {examples}"] if more else [f"{prompt}, no examples", "single, no examples"]
    found = (other for name in simpler for other in others if other["way"] == name != row["way"])
    return next(found, None)


def llm_line(row: Row, base: Row | None) -> str:
    """One way. Shares of all texts with Wilson intervals; the paired difference of hits, with its interval."""
    against = "" if base is None else difference(row["hits"], base["hits"])
    silent = row["abstained"] + row["unparsed"]
    cells = [
        row["way"],
        share(row, "coverage"),
        f"{row['set_size'] or 0:.2f}",
        share(row, "top1"),
        against,
        str(silent),
    ]
    cells += [f"{row[name]:,}" for name in ("calls", "input_tokens", "cached_tokens", "output_tokens")]
    return f"| {' | '.join(cells)} |"


def share(row: Row, name: str) -> str:
    """In percent, with its interval."""
    return f"{100 * row[name]:.1f} ({100 * row[f'{name}_low']:.0f} to {100 * row[f'{name}_high']:.0f})"


def difference(ours: str, theirs: str) -> str:
    """Points between two ways on the same texts, with 1.96 standard errors of the paired differences."""
    pairs = [int(one) - int(other) for one, other in zip(ours, theirs, strict=True)]
    mean = sum(pairs) / len(pairs)
    error = math.sqrt(sum((pair - mean) ** 2 for pair in pairs)) / len(pairs)
    return f"{100 * mean:+.1f} ± {196 * error:.1f}"


def faults_table(runs: Sequence[Row]) -> str:
    """One column per run."""
    shown = [name for name in runs[0] if not isinstance(runs[0][name], dict)]
    table = ["| what | " + " | ".join(f"{run['tasks_per_call']} task(s) per call" for run in runs) + " |"]
    table.append("|---" * (len(runs) + 1) + "|")
    for name in shown:
        table.append(f"| {name.replace('_', ' ')} | {' | '.join(f'{run[name]:,}' for run in runs)} |")
    kinds = [" ".join(f"{kind} {number:,}," for kind, number in run["faults"].items()).rstrip(",") for run in runs]
    table.append(f"| answers of the server by kind | {' | '.join(kinds)} |")
    return "\n".join(table)


def made(found: Sequence[Row]) -> dict[str, str]:
    """Every table of the page that the runs have figures for, by its name there."""
    rows = [row for run in found for row in run["rows"]]
    costs, quality, llm = ([row for row in rows if row["what"] == what] for what in ("cost", "quality", "llm"))
    faults = [run["summary"] for run in found if "share_of_the_servers_limit" in run["summary"]]
    priced = {"price": cost_table(costs, ("all",), ("plain", "cached")), "prices": cost_table(costs)} if costs else {}
    as_of = next((run["summary"]["prices"] for run in found if "prices" in run["summary"]), "an unknown day")
    parts = {name: f"1,000 tasks, by the price table of {as_of}.\n\n{table}" for name, table in priced.items()}
    parts |= {"faults": faults_table(faults)} if faults else {}
    parts |= {"offline": quality_table(quality)} if quality else {}
    return parts | ({"llm": llm_table(llm)} if llm else {})


def main() -> None:
    """Replace the tables that the runs have."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--into", type=Path, required=True)
    given = parser.parse_args()
    tables.keep(given.into, made([json.loads(path.read_text()) for path in given.runs]))


if __name__ == "__main__":
    main()
