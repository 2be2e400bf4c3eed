"""A committee of small models with an LLM as reviewer.  python -m benchmarks.committee --out FILE.json

Rows: dataset, teacher, part, method, seed, accuracy, llm_calls, share_of_calls, rows, human_labels. `part` is `pool`
(the tasks that are annotated) or `new` (later tasks). Methods: `committee` (as the product trains and serves it), `llm`
(the LLM on everything), `panel` (the same with all that a call buys: the majority, where a panel answered),
`one-student` and `logistic` (single students with the committee's calls and people's labels), `member:<name>` (each
member alone), `majority` (no review), `published` (unanimity, else the LLM's label), with --ablations the committee
with other settings, with --mixes with other members. What stands in FILE.json is not measured again. `usd` is what the
calls cost by estimated tokens and the price table (--model).
"""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import structlog

from benchmarks.committee import report
from benchmarks.committee.cost import with_costs
from benchmarks.committee.rows import measured
from benchmarks.committee.served import Plan, Served
from benchmarks.committee.tasks import MOST_POOL, projects, usual
from model.arrays import Embed
from model.committee.roster import DEFAULT
from model.encoder.embeddings import EmbeddingCache
from model.encoder.encoder import load_encoder

QUICK_SETS = ("raop", "emotion", "flute")
ABLATION_SETS = ("raop", "emotion", "flute", "discourse")
MEMBERS = ("student", "words", "names", "student:1", "student:2")
ABLATIONS = {
    **{f"k = {count}": Plan(MEMBERS[:count], existing=False) for count in (2, 3, 4, 5)},
    **{f"beta = {100 * share:.0f} %": Plan(stage=share) for share in (0.02, 0.04, 0.16)},
    **{f"replay {share:g}": Plan(replay=share) for share in (0.0, 1.0, 2.0)},
    **{f"voting {rule}": Plan(voting=rule) for rule in ("majority", "unanimous")},
    **{f"{count} human labels": Plan(human=count) for count in (10, 20)},
}
OLDER = 300  # texts that the classifier of others has learned from
ADAPTING = 200  # human labels, so that more than 100 of them teach in every fold: an encoder is not adapted to fewer


def mixes(kinds: Sequence[str], encoder: str) -> dict[str, Plan]:
    """Members of other kinds beside the default ones."""
    adapted = Plan((*DEFAULT, "student/adapted"), human=ADAPTING)
    found = {
        "older": {"with an older classifier": Plan(older=OLDER)},
        "encoder": {"with another encoder": Plan((*DEFAULT, f"student@{encoder}"))},
        "adapted": {f"{ADAPTING} labels": Plan(human=ADAPTING), f"{ADAPTING} labels, with an adapted encoder": adapted},
    }
    return {method: plan for kind in kinds for method, plan in found[kind].items()}


def main(arguments: list[str] | None = None) -> None:
    """Run, print tables, write rows and summary."""
    options = parsed(arguments)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))

    @cache
    def encoders(name: str) -> Embed:
        return EmbeddingCache(options.cache, load_encoder(name, 1)).embed

    plans = {"committee": Plan(), **(ABLATIONS if options.ablations else {})}
    plans |= mixes(options.mixes, options.encoder)
    rows = known(options.out)
    measured_before = {(row["dataset"], row["seed"], row["method"]) for row in rows}
    for project in projects(options.data, options.sets, options.rows):
        for seed in range(options.first_seed, options.first_seed + options.seeds):
            for method, plan in plans.items():
                if (project.name, seed, method) in measured_before or plan.older > len(project.others):
                    continue
                run = Served(project, encoders("default"), seed, plan, encoders)
                run.run()
                rows += measured(run, method)
                write(options.out, rows)
            print(f"{project.teacher} {project.name} seed {seed}: done", flush=True)
        rows = with_costs(rows, project, options.model)
        write(options.out, rows)
    table = report.markdown(report.summary(rows))
    options.out.with_suffix(".md").write_text(table)
    print(table)


def write(out: Path, rows: list[dict[str, Any]]) -> None:
    """All rows so far; the summary once every set has its committee."""
    out.write_text(json.dumps({"rows": rows, "summary": report.summary(rows)}, indent=1))


def known(out: Path) -> list[dict[str, Any]]:
    """Rows of an earlier run that was interrupted, or of other sets: they are kept and not measured again."""
    return list(json.loads(out.read_text())["rows"]) if out.is_file() else []


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="texts and teachers' answers")
    parser.add_argument("--out", type=Path, required=True, help="JSON file; .md is written beside it")
    parser.add_argument("--quick", action="store_true", help="three small sets, one seed")
    parser.add_argument("--seeds", type=int, default=None, help="default 3, with --quick 1")
    parser.add_argument("--first-seed", type=int, default=0, help="settings were chosen on seeds from 100 on")
    parser.add_argument("--sets", nargs="*", default=[], help="only these sets")
    parser.add_argument("--rows", type=int, default=MOST_POOL, help="at most so many tasks of a pool")
    parser.add_argument("--ablations", action="store_true", help="other settings, on four small sets")
    parser.add_argument("--mixes", nargs="*", default=[], choices=["older", "encoder", "adapted"], help="other members")
    parser.add_argument("--encoder", default="", help="folder or hub name, for --mixes encoder")
    parser.add_argument("--model", default="anthropic:claude-haiku-5-5", help="whose price `usd` is")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "shortlist" / "embeddings")
    options = parser.parse_args(arguments)
    if "encoder" in options.mixes and not options.encoder:
        parser.error("--mixes encoder needs --encoder")
    options.seeds = options.seeds or (1 if options.quick else 3)
    if not options.sets:
        short = ABLATION_SETS if options.ablations else QUICK_SETS if options.quick else ()
        options.sets = usual(options.data, short) if short else []
    return options


if __name__ == "__main__":
    main()
