"""What one run of the committee gives: a row per method and part."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.committee.served import Served
from benchmarks.committee.tasks import Tasks
from benchmarks.shared.rivals import Logistic
from model.arrays import IntArray
from model.committee.voting import KOfN, tally
from model.train import train_student
from model.training.options import TrainingOptions

Found = dict[str, tuple[IntArray, float]]  # method -> labels `(n,)` and calls as a share of the tasks


def measured(run: Served, method: str) -> list[dict[str, Any]]:
    """Rows for the pool and for the new tasks. Tasks that people labelled do not count."""
    rows = []
    alone = equal_budget(run) if method == "committee" else {}
    for part, tasks in (("pool", run.project.pool), ("new", run.project.new)):
        later = part == "new"
        counted = np.ones(len(tasks), bool)
        if not later:
            counted[run.human] = False
        labels, asked = run.answers(later)
        found: Found = {method: (labels, float(asked.mean()))}
        if method == "committee":
            spent = 0.0 if later else float(run.asked.mean())
            found |= rivals(run, tasks, spent)
            found |= {name: (labels, spent) for name, labels in alone[part].items()}
        for name, (answers, calls) in found.items():
            right = float((answers[counted] == tasks.gold[counted]).mean())
            rows.append(row(run, part, name, right, calls, int(counted.sum())))
    return rows


def equal_budget(run: Served) -> dict[str, dict[str, IntArray]]:
    """Part -> method -> labels of single students with the committee's calls and people's labels, all of them.

    `one-student` is the product's default student, `logistic` a logistic regression on the same vectors that learns
    the first label of every answer. None of them calls anybody about new tasks.
    """
    data = run.data(set())
    options = TrainingOptions(way="head", seed=run.seed)
    student, _ = train_student(run.project.space, data, options, run.embed)
    said = np.where(data.human, data.candidates.argmax(axis=1), data.first)
    linear = Logistic(run.embed(data.texts), said.astype(np.int64), run.project.space, run.seed)
    return {
        part: {
            "one-student": student.probabilities(tasks.texts, run.embed).argmax(axis=1).astype(np.int64),
            "logistic": linear.probabilities(run.embed(tasks.texts)).argmax(axis=1).astype(np.int64),
        }
        for part, tasks in (("pool", run.project.pool), ("new", run.project.new))
    }


def rivals(run: Served, tasks: Tasks, spent: float) -> Found:
    """Other methods with the very same members; `spent` is the share of calls that these learned from.

    `published`: the three members with most weight; unanimity accepts, else the LLM's label. `panel`
    is the LLM on everything with all that its calls buy: where a panel answered, the label of its majority.
    """
    members = run.committee.all_probabilities(tasks.texts)
    found: Found = {"llm": (tasks.answer, 1.0), "panel": (tasks.panel, 1.0)}
    for member, answers in zip(run.committee.members, members, strict=True):
        found[f"member:{member.name}"] = (answers.argmax(axis=1).astype(np.int64), spent)
    found["majority"] = (np.maximum(tally(members).top, 0), spent)
    three = np.argsort(run.committee.weights, kind="stable")[::-1][:3]
    sure = KOfN(len(three), len(three)).accepted(tally(members[three]))
    labels: IntArray = np.where(sure >= 0, sure, np.maximum(tasks.answer, 0))
    before = run.asked if tasks is run.project.pool else np.zeros(len(tasks), bool)
    found["published"] = (labels, float((before | (sure < 0)).mean()))
    return found


def row(run: Served, part: str, method: str, accuracy: float, calls: float, count: int) -> dict[str, Any]:
    """One measurement; `llm_calls` counts calls, `rows` the tasks that were measured."""
    total = len(run.project.pool if part == "pool" else run.project.new)
    return {
        "dataset": run.project.name,
        "teacher": run.project.teacher,
        "part": part,
        "method": method,
        "seed": run.seed,
        "accuracy": accuracy,
        "llm_calls": round(calls * total),
        "share_of_calls": calls,
        "rows": count,
        "human_labels": len(run.human),
        "labels": len(run.project.space),
    }
