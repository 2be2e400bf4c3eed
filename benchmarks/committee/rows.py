"""What one run of the committee gives: a row per method and part."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.committee.served import Served
from benchmarks.committee.tasks import Tasks
from model.arrays import IntArray
from model.committee.voting import KOfN, tally

Found = dict[str, tuple[IntArray, float]]  # method -> labels `(n,)` and calls as a share of the tasks


def measured(run: Served, method: str) -> list[dict[str, Any]]:
    """Rows for the pool and for the new tasks. Tasks that people labelled do not count."""
    rows = []
    for part, tasks in (("pool", run.project.pool), ("new", run.project.new)):
        later = part == "new"
        counted = np.ones(len(tasks), bool)
        if not later:
            counted[run.human] = False
        labels, asked = run.answers(later)
        found: Found = {method: (labels, float(asked.mean()))}
        if method == "committee":
            found |= rivals(run, tasks, 0.0 if later else float(asked.mean()))
        for name, (answers, calls) in found.items():
            right = float((answers[counted] == tasks.gold[counted]).mean())
            rows.append(row(run, part, name, right, calls, int(counted.sum())))
    return rows


def rivals(run: Served, tasks: Tasks, spent: float) -> Found:
    """Other methods with the very same members; `spent` is the share of calls that these learned from.

    `published`: the three members with most weight; unanimity accepts, else the LLM's label.
    """
    members = run.committee.all_probabilities(tasks.texts)
    found: Found = {"llm": (tasks.answer, 1.0)}
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
    }
