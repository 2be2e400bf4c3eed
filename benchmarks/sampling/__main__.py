"""Which rule spends a labelling budget best?  python -m benchmarks.sampling --out FILE.json

Rows: split, labeller, shifted, method, budget, labels, seed, accuracy (on target texts), pool_accuracy, seconds.
Summary: area under the learning curve relative to `random`, with paired bootstrap intervals over splits and seeds.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import structlog

from benchmarks.sampling import product, report
from benchmarks.sampling.run import BUDGETS, EVERYTHING, WITH_REST, curve, draw, everything
from benchmarks.sampling.splits import Corpus, Split, corpora, describe, splits
from benchmarks.shared.folders import must_exist, nothing
from model.acquisition.rules import DEFAULT, RULES
from model.encoder.embeddings import EmbeddingCache
from model.encoder.encoder import load_encoder

Key = tuple[str, str, str, int, float]  # labeller, split, method, seed, budget
METHODS = (*RULES, "ci-published@means", "ci-published@probe", "ci-total-variation@means")
QUICK_METHODS = ("random", "margin", "entropy", DEFAULT, "ci-published", "ci-total-variation")
QUICK_SETS = ("trec", "ag_news", "babe")


def main(arguments: list[str] | None = None) -> None:
    """Run, print tables, write rows, summary and plot."""
    options = parsed(arguments)
    must_exist(options.data)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    cache = EmbeddingCache(options.cache, load_encoder("default", 1))
    found = [
        split
        for corpus in chosen_corpora(options)
        if options.labeller in ("any", "gold" if corpus.labeller == "gold" else "llm")
        for split in splits(corpus, cache.embed, options.part == "test")
    ]
    if not found:
        nothing(options.data, "a set with enough texts and a labeller that is better than chance")
    for split in found:
        print(describe(split), flush=True)
    methods = chosen_methods(options)
    log = options.out.with_suffix(".rows.jsonl")
    if not options.resume:
        log.unlink(missing_ok=True)
    known = stored(log)
    jobs = [
        (split, left, seed, options.cache, options.student)
        for seed in range(options.seeds)
        for split in found
        if (left := missing(known, split, seed, methods, WITH_REST if options.student == "linear" else ()))
    ]
    run(jobs, options.workers, log)
    rows = [row for row in stored(log).values() if row["method"] in (EVERYTHING, *methods)]
    run_of = {"part": options.part, "seeds": options.seeds}
    if options.student == "product":
        rest = product.summary(rows)
        summary, table, shown = {**run_of, "rest": rest}, product.markdown(rest), methods
    else:
        summary = {**run_of, **report.summary(rows)}
        table, shown = report.markdown(summary), ()
    options.out.write_text(json.dumps({"rows": rows, "summary": summary}, indent=1))
    options.out.with_suffix(".md").write_text(table)
    report.plot(rows, options.out.with_suffix(".svg"), shown)
    print(table)


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="texts and teachers' answers")
    parser.add_argument("--out", type=Path, required=True, help="JSON file; .md and .svg are written beside it")
    parser.add_argument("--quick", action="store_true", help="three sets, six methods, two seeds")
    parser.add_argument("--seeds", type=int, default=None, help="default 5, with --quick 2")
    parser.add_argument("--part", choices=("test", "train"), default="test", help="train: held-out train texts")
    parser.add_argument("--sets", nargs="*", default=[], help="only these sets")
    parser.add_argument("--methods", nargs="*", default=[], help=f"among {', '.join(METHODS)}")
    parser.add_argument("--labeller", choices=("any", "gold", "llm"), default="any")
    parser.add_argument(
        "--student", choices=("linear", "product"), default="linear",
        help="product: as projects train it, each method without and with the rest of the pool (+rest)",
    )  # fmt: skip
    parser.add_argument("--resume", action="store_true", help="go on with the .rows.jsonl beside FILE.json")
    parser.add_argument("--workers", type=int, default=1, help="processes")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "shortlist" / "embeddings")
    options = parser.parse_args(arguments)
    options.seeds = options.seeds or (2 if options.quick else 5)
    return options


def chosen_corpora(options: argparse.Namespace) -> list[Corpus]:
    """The sets of the command line; with `--quick` three, the first of the folder if it has none of the usual ones."""
    if options.sets or not options.quick:
        return corpora(options.data, options.sets)
    found = corpora(options.data, QUICK_SETS) or corpora(options.data, ())
    kept = list(dict.fromkeys(corpus.name for corpus in found))[: len(QUICK_SETS)]
    return [corpus for corpus in found if corpus.name in kept]


def chosen_methods(options: argparse.Namespace) -> tuple[str, ...]:
    """The methods of the command line, or those that belong to the student and the length of the run."""
    if options.student == "product":
        return product.with_rest(options.methods or product.METHODS)
    return tuple(options.methods) or (QUICK_METHODS if options.quick else METHODS)


def stored(log: Path) -> dict[Key, dict[str, Any]]:
    """The rows that an interrupted run has written."""
    lines = log.read_text().splitlines() if log.exists() else []
    rows = [json.loads(line) for line in lines]
    return {(row["labeller"], row["split"], row["method"], row["seed"], row["budget"]): row for row in rows}


def missing(
    known: Mapping[Key, Mapping[str, Any]], split: Split, seed: int, methods: Sequence[str], with_rest: Sequence[str]
) -> tuple[str, ...]:
    """The methods whose last row is not there, or, among `with_rest`, lacks the accuracy after self-training."""
    found = []
    for method in (EVERYTHING, *methods):
        last = 1.0 if method == EVERYTHING else BUDGETS[-1]
        row = known.get((split.labeller, split.name, method, seed, last))
        if row is None or (method in with_rest and "accuracy_rest" not in row):
            found.append(method)
    return tuple(found)


def run(jobs: list[tuple[Split, tuple[str, ...], int, Path, str]], workers: int, log: Path) -> None:
    """All jobs, one split and seed each; rows are added to `log` as they come."""
    os.environ["OMP_NUM_THREADS"] = "1"
    with ProcessPoolExecutor(workers) as pool, log.open("a") as file:
        for done in as_completed([pool.submit(run_one, *job) for job in jobs]):
            file.writelines(json.dumps(row) + "\n" for row in done.result())
            file.flush()


def run_one(split: Split, methods: tuple[str, ...], seed: int, cache: Path, student: str) -> list[dict[str, Any]]:
    """All methods on one split and seed; they share the sample, so that differences are paired."""
    drawn = draw(split, seed, EmbeddingCache(cache, load_encoder("default", 1)).embed)
    rows: list[dict[str, Any]] = []
    for method in methods:
        teach = product.teacher_of(method) if student == "product" else None
        rows += [everything(drawn, teach)] if method == EVERYTHING else curve(drawn, method, teach)
    print(f"{split.labeller} {split.name} seed {seed}: done", flush=True)
    return rows


if __name__ == "__main__":
    main()
