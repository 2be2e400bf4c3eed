"""Which rule spends a labelling budget best?  python -m benchmarks.sampling --out FILE.json

Rows: split, labeller, shifted, method, budget, labels, seed, accuracy (on target texts), pool_accuracy, seconds.
Summary: area under the learning curve relative to `random`, with paired bootstrap intervals over splits and seeds.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import structlog

from benchmarks import sampling_report
from benchmarks.sampling_run import curve, draw, everything
from benchmarks.sampling_splits import Split, corpora, describe, splits
from model.acquisition import RULES
from model.student.embeddings import EmbeddingCache
from model.student.encoder import load_encoder

METHODS = (*RULES, "ci-published@means", "ci-published@probe", "ci-total-variation@means")
QUICK_METHODS = ("random", "margin", "entropy", "margin-clusters", "ci-published", "ci-total-variation")
QUICK_SETS = ("trec", "ag_news", "babe")


def main(arguments: list[str] | None = None) -> None:
    """Run, print tables, write rows, summary and plot."""
    options = parsed(arguments)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    cache = EmbeddingCache(options.cache, load_encoder("default", 1))
    found = [
        split
        for corpus in corpora(options.data, options.sets or (QUICK_SETS if options.quick else ()))
        for split in splits(corpus, cache.embed, options.part == "test")
    ]
    for split in found:
        print(describe(split), flush=True)
    methods = options.methods or (QUICK_METHODS if options.quick else METHODS)
    jobs = [(split, tuple(methods), seed, options.cache) for seed in range(options.seeds) for split in found]
    rows = run(jobs, options.workers, options.out.with_suffix(".rows.jsonl"))
    summary = {"part": options.part, "seeds": options.seeds, **sampling_report.summary(rows)}
    options.out.write_text(json.dumps({"rows": rows, "summary": summary}, indent=1))
    table = sampling_report.markdown(summary)
    options.out.with_suffix(".md").write_text(table)
    sampling_report.plot(rows, options.out.with_suffix(".svg"))
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
    parser.add_argument("--workers", type=int, default=1, help="processes")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "shortlist" / "embeddings")
    options = parser.parse_args(arguments)
    options.seeds = options.seeds or (2 if options.quick else 5)
    return options


def run(jobs: list[tuple[Split, tuple[str, ...], int, Path]], workers: int, log: Path) -> list[dict[str, Any]]:
    """All jobs, one split and seed each; rows also go to `log` as they come."""
    os.environ["OMP_NUM_THREADS"] = "1"
    rows: list[dict[str, Any]] = []
    with ProcessPoolExecutor(workers) as pool, log.open("w") as file:
        for done in as_completed([pool.submit(run_one, *job) for job in jobs]):
            rows += done.result()
            file.writelines(json.dumps(row) + "\n" for row in done.result())
            file.flush()
    return rows


def run_one(split: Split, methods: tuple[str, ...], seed: int, cache: Path) -> list[dict[str, Any]]:
    """All methods on one split and seed; they share the sample, so that differences are paired."""
    drawn = draw(split, seed, EmbeddingCache(cache, load_encoder("default", 1)).embed)
    rows = [everything(drawn)]
    for method in methods:
        rows += curve(drawn, method)
    print(f"{split.labeller} {split.name} seed {seed}: done", flush=True)
    return rows


if __name__ == "__main__":
    main()
