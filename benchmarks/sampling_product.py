"""The sampling benchmark with the student that the product trains, with and without the tasks that nobody answered.

A method `NAME` learns from answered tasks only, `NAME+rest` also from the rest of the pool by its own sharpened answers
(`model/student/unlabelled.py`), and chooses tasks by what it has then become.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from benchmarks.sampling_report import interval, percent, points
from benchmarks.sampling_run import BUDGETS, EVERYTHING, Answers, Draw, Teach
from model.acquisition import DEFAULT
from model.arrays import FloatArray, IntArray
from model.student.data import TrainingData
from model.student.head import HeadStudent
from model.student.options import TrainingOptions
from model.student.training import train_student

REST = "+rest"
METHODS = ("random", DEFAULT)


def with_rest(methods: Sequence[str]) -> tuple[str, ...]:
    """Every method without and with the rest of the pool."""
    return tuple(name for method in methods for name in (method, method + REST))


def teacher_of(method: str) -> Teach:
    """How the students of a method are trained: `NAME` or `NAME+rest`."""
    return partial(product_student, rest=method.endswith(REST))


def product_student(drawn: Draw, bought: IntArray, rest: bool) -> Answers:
    """What a training of the product makes of the source, the answers that were bought, and perhaps the other texts."""
    vectors = dict(zip(drawn.source.texts, drawn.source_vectors, strict=True))
    vectors |= dict(zip(drawn.pool.texts, drawn.pool_vectors, strict=True))

    def embed(texts: Sequence[str]) -> FloatArray:
        return np.stack([vectors[text] for text in texts])

    data = training_data(drawn, bought, rest)
    student, _ = train_student(drawn.split.space, data, TrainingOptions(way="head", seed=drawn.seed), embed)
    assert isinstance(student, HeadStudent)
    return student.of_vectors


def training_data(drawn: Draw, bought: IntArray, rest: bool) -> TrainingData:
    """Gold labels as human ones, a teacher's distributions as candidate sets with confidences."""
    gold = drawn.split.labeller == "gold"
    said = np.concatenate([drawn.source.said, drawn.pool.said[bought]])
    human = np.repeat([gold or drawn.split.shifted, gold], [len(drawn.source.texts), len(bought)])
    sets = said > 0
    others: IntArray = np.setdiff1d(np.arange(len(drawn.pool.texts)), bought) if rest else np.zeros(0, np.int64)
    return TrainingData(
        [*drawn.source.texts, *(drawn.pool.texts[row] for row in bought)],
        sets,
        human,
        None if human.all() else np.where(human[:, None], 0.0, said).astype(np.float32),
        sets & ~human[:, None],
        np.where(human, -1, said.argmax(axis=1)).astype(np.int64),
        [drawn.pool.texts[row] for row in others],
    )


def summary(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """By method and kind of split: what the rest adds in points of accuracy on target test texts, by budget and in all
    with its interval, where it adds least, and the share of labelling everything at the largest budget, both ways."""
    known = {key(row): 100.0 * row["accuracy"] for row in rows}
    pairs = [row for row in rows if row["budget"] in BUDGETS and key({**row, "method": row["method"] + REST}) in known]
    found = []
    for method in sorted({row["method"] for row in pairs}):
        for name, part in groups([row for row in pairs if row["method"] == method]).items():
            gains: dict[float, list[float]] = defaultdict(list)
            splits: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
            shares: list[tuple[float, float]] = []
            for row in part:
                without, both = known[key(row)], known[key({**row, "method": method + REST})]
                gains[row["budget"]].append(both - without)
                splits[f"{row['labeller']} {row['split']}"][row["seed"]].append(both - without)
                if row["budget"] == BUDGETS[-1]:
                    most = known[key({**row, "method": EVERYTHING, "budget": 1.0})]
                    shares.append((without / most, both / most))
            means = {split: [float(np.mean(values)) for values in seeds.values()] for split, seeds in splits.items()}
            lowest = min(means, key=lambda split: float(np.mean(means[split])))
            found.append(
                {
                    "method": method,
                    "group": name,
                    "splits": len(means),
                    "gains": {f"{budget:.0%}": float(np.mean(values)) for budget, values in sorted(gains.items())},
                    "gain": list(interval(list(means.values()))),
                    "lowest": [lowest, float(np.mean(means[lowest]))],
                    "shares": [float(value) for value in np.mean(shares, axis=0)],
                }
            )
    return found


def markdown(found: Sequence[Mapping[str, Any]]) -> str:
    """The summary as a table."""
    head = [f"{budget:.0%}" for budget in BUDGETS]
    lines = [
        f"| method | splits | {' | '.join(head)} | all budgets (95 %) | lowest split | share of everything at 20 % |",
        "|---" * (len(head) + 5) + "|",
    ]
    for line in found:
        cells = " | ".join(f"{value:+.2f}" for value in line["gains"].values())
        total = points([value / 100 for value in line["gain"]])
        lowest, shares = line["lowest"], [percent(share) for share in line["shares"]]
        lines.append(
            f"| {line['method']} | {line['splits']} {line['group']} | {cells} | {total} "
            f"| {lowest[0]} {lowest[1]:+.2f} | {shares[0]} → {shares[1]} |"
        )
    return "\n".join([*lines, ""])


def key(row: Mapping[str, Any]) -> tuple[str, str, str, int, float]:
    """What makes two rows the same measurement."""
    return (row["labeller"], row["split"], row["method"], row["seed"], row["budget"])


def groups(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Rows by shift and labeller."""
    found: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        labels = "gold" if row["labeller"] == "gold" else "LLM"
        found[f"{'shifted' if row['shifted'] else 'in-domain'}, {labels} labels"].append(row)
    return dict(sorted(found.items(), reverse=True))
