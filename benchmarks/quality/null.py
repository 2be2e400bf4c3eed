"""Nothing to correct: what a few labels spoil where the teacher is right about everything that it says.

    python -m benchmarks.quality.null --out FILE.json [--draws 40] [--points 10 20 50] [--rows 400]
        [--into docs/evidence/quality.md]

Pools are simulated: the teacher's shares are drawn, then the true label by these shares, so that no frequency, no error
of the teacher and no calibration is there to be found. Vectors tell the label a little. Labels are drawn at random, and
nobody says so: the test for samples is asked, too. What is believed is compared with what is believed without labels,
on tasks that nobody labelled. No student is trained: it says of its own texts what was believed of them.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import structlog

from benchmarks.shared import tables
from model.arrays import FloatArray, IntArray, softmax
from model.training.data import TrainingData
from model.training.options import TrainingOptions
from model.weak.beliefs import beliefs

POOLS = ((2, 0.0), (3, 0.0), (4, 1.0), (5, 0.5), (7, 1.0), (10, 0.0), (20, 0.5))  # labels; how uneven: 1 is Zipf
POINTS = (10, 20, 50)
WIDTH, SIGNAL = 48, 0.3  # of vectors; length of their labels' centres, that of the noise being one
SURE = 3.0  # spread of the teacher's logits
LOST = -2.0  # points


def simulated(labels: int, uneven: float, rows: int, seed: int) -> tuple[TrainingData, FloatArray, IntArray]:
    """A pool without people's labels, its vectors `(n, d)` of length one and its truth `(n,)`."""
    random = np.random.default_rng([labels, seed])
    logits = SURE * random.normal(size=(rows, labels)) - uneven * np.log(np.arange(1, labels + 1))
    shares = softmax(logits.astype(np.float32)).astype(np.float32)
    truth = (random.random(rows)[:, None] > shares.astype(np.float64).cumsum(1)).sum(1).clip(max=labels - 1)
    centres = random.normal(size=(labels, WIDTH))
    centres *= SIGNAL / np.linalg.norm(centres, axis=1, keepdims=True)
    vectors = centres[truth] + random.normal(size=(rows, WIDTH)) / WIDTH**0.5
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    every = np.ones((rows, labels), np.bool_)
    texts = [f"text {number}" for number in range(rows)]
    data = TrainingData(texts, every, np.zeros(rows, np.bool_), shares, every, shares.argmax(1).astype(np.int64))
    return data, vectors.astype(np.float32), truth.astype(np.int64)


def labelled(data: TrainingData, truth: IntArray, number: int, seed: int) -> TrainingData:
    """The pool with the true labels of so many random tasks; nobody knows how people came to them."""
    chosen = np.random.default_rng([number, seed]).choice(len(truth), number, replace=False)
    candidates, human = data.candidates.copy(), np.zeros(len(truth), np.bool_)
    candidates[chosen] = np.eye(candidates.shape[1], dtype=np.bool_)[truth[chosen]]
    human[chosen] = True
    return replace(data, candidates=candidates, human=human)


def draws(number: int, points: list[int], rows: int) -> Iterator[dict[str, Any]]:
    """One row per pool, draw and number of labels: points gained on tasks that nobody labelled."""
    for labels, uneven in POOLS:
        for seed in range(number):
            data, vectors, truth = simulated(labels, uneven, rows, seed)
            options = TrainingOptions(seed=seed)
            before = beliefs(data, vectors, options).shares.argmax(1) == truth
            for human in points:
                told = labelled(data, truth, human, seed)
                found = beliefs(told, vectors, options)
                gains = (found.shares.argmax(1) == truth).astype(float) - before
                yield {
                    "dataset": f"{labels} labels, uneven {uneven:g}", "teacher": "right", "method": "null",
                    "seed": seed, "human": float(human), "gain": 100.0 * float(gains[~told.human].mean()),
                    "refused": not found.representative,
                }  # fmt: skip
            print(f"{labels} labels, draw {seed + 1} of {number}", flush=True)


def table(rows: list[dict[str, Any]]) -> str:
    """What labels spoiled, by their number."""
    lines = [
        "| labels | draws | lose more than 2 points | worst | mean | called no sample |",
        "|---|---|---|---|---|---|",
    ]
    for human in sorted({row["human"] for row in rows}):
        gains = np.array([row["gain"] for row in rows if row["human"] == human])
        refused = sum(row["refused"] for row in rows if row["human"] == human)
        lost = int((gains < LOST).sum())
        lines.append(f"| {human:g} | {len(gains)} | {lost} | {gains.min():+.1f} | {gains.mean():+.2f} | {refused} |")
    return "\n".join(lines) if rows else ""


def main() -> None:
    """Draw, write, print."""
    parser = argparse.ArgumentParser(description="What a few labels spoil where there is nothing to correct")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--draws", type=int, default=40, help="of each pool")
    parser.add_argument("--points", nargs="+", type=int, default=list(POINTS), help="labels by people")
    parser.add_argument("--rows", type=int, default=400, help="tasks of a pool")
    parser.add_argument("--into", type=Path, help="a page with a place for the table `null`")
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    if max(given.points) > given.rows // 2 or min(given.points) < 1:
        parser.error(f"--points: between 1 and half of the pool's {given.rows} tasks")
    rows = list(draws(given.draws, given.points, given.rows))
    given.out.parent.mkdir(parents=True, exist_ok=True)
    lost = sum(row["gain"] < LOST for row in rows)
    summary = {"draws": len(rows), "lost": lost, "worst": min(row["gain"] for row in rows),
               "called_no_sample": sum(row["refused"] for row in rows)}  # fmt: skip
    given.out.write_text(json.dumps({"rows": rows, "summary": summary}))
    print(table(rows))
    if given.into:
        tables.keep(given.into, {"null": table(rows)})


if __name__ == "__main__":
    main()
