"""How often a promise breaks, and what it costs people, on stored scores of real sets: many audits of each pool.

    python -m benchmarks.finish.stored --data DIR --out F.json --sets trec ag_news --seeds 1 2

A student's scores at each look do not depend on the audit (`Stage`), so that one training serves hundreds of audits.
`known` is the lower bound: people's share if the errors were known, in the order of the student's uncertainty at the
best look, and nothing had to be audited.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import structlog

from benchmarks.finish.__main__ import RISK, TARGET, jobs
from benchmarks.finish.ours import Stage, planned, settle, stages
from benchmarks.finish.pools import Pool, Teach, embedding, pool, taught
from benchmarks.finish.product import product_student
from benchmarks.finish.rivals import pac_teacher
from benchmarks.shared.folders import must_exist
from model.promise.acceptance import breaking_number

OF_EACH = 2_500  # texts of a set without a stored teacher, at least
RIVALS = 100  # repetitions of the rival, which has one sample for all it says
Row = dict[str, Any]


STUDENTS: dict[str, Teach] = {"linear": taught, "product": product_student}


def measured(one: Pool, found: Sequence[Stage], draws: int) -> Row:
    """So many audits of one pool, whose students are trained."""
    steps = planned(one, TARGET, RISK)
    random = np.random.default_rng(1_000 + one.seed)
    results = [settle(one, steps, found, random.random(len(one)), TARGET, RISK) for _ in range(draws)]
    rivals = [pac_teacher(replace(one, seed=seed), TARGET, RISK) for seed in range(RIVALS)]
    return {
        "dataset": one.name,
        "seed": one.seed,
        "tasks": len(one),
        "draws": draws,
        "people": _share(one, [result.human_decisions for result in results]),
        "broken": sum(result.realised_error > TARGET for result in results),
        "pac": _share(one, [result.human_decisions for result in rivals]),
        "pac_broken": sum(result.realised_error > TARGET for result in rivals),
        "known": min((known(one, stage) for stage in found), default=1.0),
    }


def _share(one: Pool, decisions: Sequence[int]) -> float:
    return round(float(np.mean(decisions)) / len(one), 3)


def known(one: Pool, stage: Stage) -> float:
    """The share that people decide where as many labels as may be are wrong, and nobody has to find out."""
    rest = np.flatnonzero(~stage.chosen)
    order = rest[np.argsort(stage.doubt[rest])]
    errors = np.cumsum(stage.said[order] != one.gold[order])
    kept = int(np.searchsorted(errors, breaking_number(len(one), TARGET)))
    return round(1 - kept / len(one), 3)


def pool_arguments(description: str | None, student: str) -> argparse.ArgumentParser:
    """Which pools a command measures, by which student if none is named."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="a folder of sets and teachers")
    parser.add_argument("--out", type=Path, required=True, help="the result, JSON")
    parser.add_argument("--sets", nargs="+", required=True)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--rows", type=int, default=2_000, help="tasks of a pool, at most")
    parser.add_argument("--student", choices=STUDENTS, default=student)
    parser.add_argument("--cache", type=Path, default=Path("runs/finish-cache"), help="embeddings")
    return parser


def wanted_pools(given: argparse.Namespace) -> Iterator[Pool]:
    """The pools that `pool_arguments` name."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    must_exist(given.data)
    embed = embedding(given.cache)
    found = list(jobs(given.data, embed, given.sets, max(OF_EACH, given.rows)))
    for seed in given.seeds:
        yield from (pool(job, seed, given.rows, embed) for job in found)


def main() -> None:
    """Measure, and write rows."""
    parser = pool_arguments(__doc__, "linear")
    parser.add_argument("--draws", type=int, default=500, help="audits of each pool")
    given = parser.parse_args()
    rows: list[Row] = []
    for one in wanted_pools(given):
        learned = list(stages(one, planned(one, TARGET, RISK), STUDENTS[given.student]))
        rows.append({"student": given.student, **measured(one, learned, given.draws)})
        print(json.dumps(rows[-1]), flush=True)
        given.out.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
