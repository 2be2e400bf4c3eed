"""What one run of the committee gives: a row per method and part."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.committee_run import Run


def measured(run: Run, method: str) -> list[dict[str, Any]]:
    """Rows for the pool and for the new tasks. Tasks that people labelled do not count."""
    rows = []
    for part, tasks in (("pool", run.project.pool), ("new", run.project.new)):
        later = part == "new"
        counted = np.ones(len(tasks), bool)
        if not later:
            counted[run.state.human] = False
        labels, asked = run.answers(later)
        found = {method: (labels, float(asked.mean()))}
        if method == "committee":
            found |= run.rivals(later)
        for name, (answers, calls) in found.items():
            right = float((answers[counted] == tasks.gold[counted]).mean())
            rows.append(row(run, part, name, right, calls, int(counted.sum())))
    return rows


def row(run: Run, part: str, method: str, accuracy: float, calls: float, count: int) -> dict[str, Any]:
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
        "human_labels": len(run.state.human),
    }
