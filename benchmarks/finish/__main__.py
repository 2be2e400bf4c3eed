"""What it takes people to finish a pool with at most 5 % wrong labels, by our promise and by rivals on the same pools.

    python -m benchmarks.finish --data DIR --out F.json [--seeds 3] [--rows 2400] [--validity 500]

Rows: dataset, method, seed, target, human_decisions, llm_calls, realised_error, promised. The summary counts broken
promises (`violations`) and the share of the pool that people decide (`human_share`); `validity` are made-up worlds.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import structlog

from benchmarks.finish import rivals
from benchmarks.finish.ours import ours
from benchmarks.finish.pools import Pool, embedding, pool, taught
from benchmarks.finish.results import Result
from benchmarks.finish.validity import World, often
from benchmarks.shared.datasets import Job, similarity_job, stored_jobs
from benchmarks.shared.folders import must_exist, nothing, plain

TARGET, RISK = 0.05, 0.05
FEWEST = 1_000  # tasks of a pool: below, no promise of 5 % saves much
OFFLINE = ("banking77", "hate_tweets", "sms_spam")  # sets without an LLM's answers: the offline teacher proposes
WORLDS: tuple[World, ...] = ("even", "uneven", "drifting", "duplicated", "ticks followed", "several people")
METHODS: dict[str, Callable[[Pool, float, float], Result]] = {
    "label everything": rivals.everything,
    "LLM only": rivals.teacher_only,
    "PAC labels, LLM's confidence": rivals.pac_teacher,
    "PAC labels, student of one round": rivals.pac_student,
    "thresholds and uncertainty sampling": rivals.thresholds,
    "today's stopping advice": rivals.advice,
    "ours, linear student": partial(ours, teach=taught),
    "ours": ours,
}
Row = dict[str, Any]


def jobs(data: Path, embed: Any, only: Sequence[str], most: int | None = None) -> Iterator[Job]:
    """One teacher per set: the stored one, else the offline one, on at most so many texts."""
    answered = set()
    for job in stored_jobs(data):
        if len(job.train) >= FEWEST and (not only or job.dataset in only):
            answered.add(job.dataset)
            yield job
    for name in only or OFFLINE:
        if (data / name).is_dir() and name not in answered:
            yield similarity_job(data, name, embed, most)


def measured(one: Pool, only: Sequence[str]) -> Iterator[Row]:
    """The rows of every method, or of some."""
    for name in only or METHODS:
        found = METHODS[name](one, TARGET, RISK)
        yield {"dataset": one.name, "method": name, "seed": one.seed, "tasks": len(one), "target": TARGET,
               **asdict(found)}  # fmt: skip


def summary(rows: Sequence[Row], validity: Sequence[Row]) -> Row:
    """By method: broken promises, promises, the mean share of human decisions, by set and over sets, and errors."""
    found: Row = {}
    for method in dict.fromkeys(row["method"] for row in rows):
        mine = [row for row in rows if row["method"] == method]
        sets = dict.fromkeys(row["dataset"] for row in mine)
        share = {name: _mean([row["human_decisions"] / row["tasks"] for row in mine if row["dataset"] == name])
                 for name in sets}  # fmt: skip
        found[method] = {
            "violations": sum(row["promised"] and row["realised_error"] > row["target"] for row in mine),
            "promises": sum(row["promised"] for row in mine),
            "human_share": round(_mean(list(share.values())), 3),
            "mean_error": round(_mean([row["realised_error"] for row in mine]), 3),
            "worst_error": round(max(row["realised_error"] for row in mine), 3),
            "by_set": {name: round(value, 3) for name, value in share.items()},
        }
    return {"methods": found, "validity": list(validity)}


def _mean(values: Sequence[float]) -> float:
    return sum(values) / max(1, len(values))


def main() -> None:
    """Measure, and write rows and summary."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="a folder of sets and teachers")
    parser.add_argument("--out", type=Path, required=True, help="the result, JSON")
    parser.add_argument("--sets", nargs="+", default=(), help="only these sets")
    parser.add_argument("--methods", nargs="+", default=(), choices=METHODS, help="only these methods")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=2400, help="tasks of a pool, at most")
    parser.add_argument("--validity", type=int, default=500, help="repetitions of each made-up world")
    parser.add_argument("--quick", action="store_true", help="one seed, 1,200 tasks, 50 worlds")
    parser.add_argument("--cache", type=Path, default=Path("runs/finish-cache"), help="embeddings")
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    must_exist(given.data)
    embed = embedding(given.cache)
    seeds, most, repetitions = (1, 1200, 50) if given.quick else (given.seeds, given.rows, given.validity)
    found = list(jobs(given.data, embed, given.sets))
    if not found:
        nothing(given.data, f"a set with a teacher's answers for {FEWEST:,} texts, or {plain()}")
    validity = [often(repetitions, world) for world in WORLDS]
    given.out.parent.mkdir(parents=True, exist_ok=True)
    rows: list[Row] = []
    for seed in range(seeds):
        for job in found:
            for row in measured(pool(job, seed, most, embed), given.methods):
                rows.append(row)
                print(json.dumps(row), flush=True)
            out = {"rows": rows, "summary": summary(rows, validity)}
            given.out.write_text(json.dumps(out, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()
