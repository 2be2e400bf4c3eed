"""PAC labels with a student that is trained once, on random labels of people: how large that round and the sample
should be, and what people decide then, with the same students and answers as our promise.

    python -m benchmarks.finish.rounds --data DIR --out F.json --sets trec ag_news --student product

Rows: dataset, student, seed, `labels` of the round, `draws` of the sample, people's share, broken promises.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.finish.__main__ import RISK, TARGET
from benchmarks.finish.pools import Pool, Teach
from benchmarks.finish.rivals import pac_labels, random_labels
from benchmarks.finish.stored import STUDENTS, pool_arguments, wanted_pools

REPETITIONS = 60  # samples for each student


def measured(one: Pool, teach: Teach, sizes: Sequence[int], draws: Sequence[int]) -> Iterator[dict[str, Any]]:
    """A row for each size of the round and of the sample."""
    for labels in sizes:
        known = random_labels(one, labels)
        shares = teach(one, known)
        for number in draws:
            found = [
                pac_labels(replace(one, seed=100 + turn), shares, known, TARGET, RISK, number)
                for turn in range(REPETITIONS)
            ]
            people = round(float(np.mean([result.human_decisions for result in found])) / len(one), 3)
            broken = sum(result.realised_error > TARGET for result in found)
            yield {"dataset": one.name, "seed": one.seed, "labels": labels, "draws": number, "people": people,
                   "broken": broken, "repetitions": REPETITIONS}  # fmt: skip


def main() -> None:
    """Measure, and write rows."""
    parser = pool_arguments(__doc__, "product")
    parser.add_argument("--labels", nargs="+", type=int, default=[200], help="sizes of the round")
    parser.add_argument("--draws", nargs="+", type=int, default=[200], help="sizes of the sample")
    given = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for one in wanted_pools(given):
        for row in measured(one, STUDENTS[given.student], given.labels, given.draws):
            rows.append({"student": given.student, **row})
            print(json.dumps(rows[-1]), flush=True)
            given.out.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
