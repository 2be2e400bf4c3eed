"""The sampling benchmark with the student that the product trains, with and without the tasks that nobody answered.

A method `NAME` learns from answered tasks only, `NAME+rest` also from the rest of the pool by its own sharpened answers
(`model/weak/unlabelled.py`), and chooses tasks by what it has then become.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from benchmarks.sampling.report import interval, percent, points
from benchmarks.sampling.run import BUDGETS, EVERYTHING, Answers, Draw, Teach
from model.acquisition.rules import DEFAULT
from model.arrays import FloatArray, IntArray
from model.student.head import HeadStudent
from model.train import train_student
from model.training.data import TrainingData
from model.training.options import TrainingOptions

REST = "+rest"
METHODS = ("random", DEFAULT)

Key = tuple[str, str, str, int, float]  # labeller, split, method, seed, budget


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
    with its interval, where it adds least, what it adds on the pool itself, and the share of labelling everything at
    the largest budget, both ways."""
    known = {key(row): row for row in rows}
    pairs = [row for row in rows if row["budget"] in BUDGETS and key(row, REST) in known]
    return [
        line(method, name, part, known)
        for method in sorted({row["method"] for row in pairs})
        for name, part in groups([row for row in pairs if row["method"] == method]).items()
    ]


def line(method: str, name: str, part: Sequence[Mapping[str, Any]], known: Mapping[Key, Any]) -> dict[str, Any]:
    """The summary of one method on one kind of splits."""
    splits, pool = (gains(part, known, column) for column in ("accuracy", "pool_accuracy"))
    lowest = min(splits, key=lambda split: float(np.mean(splits[split])))
    last = [row for row in part if row["budget"] == BUDGETS[-1]]
    shares = [
        np.mean([known[key(row, ending)]["accuracy"] / known[everything(row)]["accuracy"] for row in last])
        for ending in ("", REST)
    ]
    by_budget = {
        f"{budget:.0%}": float(np.mean([*gains(chosen, known, "accuracy").values()]))
        for budget in BUDGETS
        if (chosen := [row for row in part if row["budget"] == budget])
    }
    return {
        "method": method,
        "group": name,
        "splits": len(splits),
        "gains": by_budget,
        "gain": list(interval(list(splits.values()))),
        "lowest": [lowest, float(np.mean(splits[lowest]))],
        "pool_gain": list(interval(list(pool.values()))),
        "shares": [float(share) for share in shares],
    }


def gains(part: Sequence[Mapping[str, Any]], known: Mapping[Key, Any], column: str) -> dict[str, list[float]]:
    """What the rest adds to a column, in points: for every split the mean over budgets of every seed."""
    found: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in part:
        gain = 100.0 * (known[key(row, REST)][column] - row[column])
        found[f"{row['labeller']} {row['split']}"][row["seed"]].append(gain)
    return {split: [float(np.mean(values)) for values in seeds.values()] for split, seeds in found.items()}


def markdown(found: Sequence[Mapping[str, Any]]) -> str:
    """The summary as a table."""
    head = [f"{budget:.0%}" for budget in BUDGETS]
    lines = [
        f"| method | splits | {' | '.join(head)} | all budgets (95 %) | lowest split | on the pool itself (95 %) "
        "| share of everything at 20 % |",
        "|---" * (len(head) + 6) + "|",
    ]
    for one in found:
        cells = " | ".join(f"{one['gains'][name]:+.2f}" if name in one["gains"] else "" for name in head)
        total, pool = (points([value / 100 for value in one[name]]) for name in ("gain", "pool_gain"))
        lowest, shares = one["lowest"], [percent(share) for share in one["shares"]]
        lines.append(
            f"| {one['method']} | {one['splits']} {one['group']} | {cells} | {total} "
            f"| {lowest[0]} {lowest[1]:+.2f} | {pool} | {shares[0]} → {shares[1]} |"
        )
    return "\n".join([*lines, ""])


def key(row: Mapping[str, Any], ending: str = "") -> Key:
    """What makes two rows the same measurement; with an ending that of another method."""
    return (row["labeller"], row["split"], row["method"] + ending, row["seed"], row["budget"])


def everything(row: Mapping[str, Any]) -> Key:
    """The measurement with answers for the whole pool that belongs to a row."""
    return (row["labeller"], row["split"], EVERYTHING, row["seed"], 1.0)


def groups(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Rows by shift and labeller."""
    found: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        labels = "gold" if row["labeller"] == "gold" else "LLM"
        found[f"{'shifted' if row['shifted'] else 'in-domain'}, {labels} labels"].append(row)
    return dict(sorted(found.items(), reverse=True))
