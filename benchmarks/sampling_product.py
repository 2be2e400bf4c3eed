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

from benchmarks.sampling_report import interval, points
from benchmarks.sampling_run import BUDGETS, Answers, Draw, Teach
from model.arrays import FloatArray, IntArray
from model.student.data import TrainingData
from model.student.head import HeadStudent
from model.student.options import TrainingOptions
from model.student.training import train_student

REST = "+rest"
METHODS = ("random", "margin-clusters")


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


def markdown(rows: Sequence[Mapping[str, Any]]) -> str:
    """What the rest adds, in points of accuracy on target test texts: by budget, and the split with the least."""
    found = {key(row): 100.0 * row["accuracy"] for row in rows}
    methods = sorted({row["method"] for row in rows if row["method"] + REST in {other["method"] for other in rows}})
    head = [f"{budget:.0%}" for budget in BUDGETS]
    lines = [f"| method | splits | {' | '.join(head)} | all budgets (95 %) | lowest split |"]
    lines += ["|---" * (len(head) + 4) + "|"]
    for method in methods:
        for name, part in groups(rows).items():
            mine = [row for row in part if row["method"] == method and row["budget"] in BUDGETS]
            gains: dict[tuple[str, str], dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
            by_budget: dict[float, list[float]] = defaultdict(list)
            for row in mine:
                gain = found[key({**row, "method": method + REST})] - found[key(row)]
                gains[row["labeller"], row["split"]][row["seed"]].append(gain)
                by_budget[row["budget"]].append(gain)
            table = {split: [float(np.mean(each)) for each in seeds.values()] for split, seeds in gains.items()}
            low = min(table, key=lambda split: float(np.mean(table[split])))
            cells = [f"{np.mean(by_budget[budget]):+.2f}" for budget in BUDGETS]
            total = points([value / 100 for value in interval(list(table.values()))])
            lowest = f"{' '.join(low)} {np.mean(table[low]):+.2f}"
            lines.append(f"| {method} | {name} ({len(table)}) | {' | '.join(cells)} | {total} | {lowest} |")
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
