"""Have more human labels, or more LLM calls, stopped to pay? Advice from how much a student still changes its answers.

A student is compared with the last one that knew at most two thirds as much. The share of answers that changed bounds
the change of its accuracy: if half as much knowledge again moved 1 % of the answers, accuracy moved by 1 point at most.
(Stability of predictions after Bloodgood & Vijay-Shanker, CoNLL 2009, who use kappa between successive models.)
Prequential accuracy per version is the curve beside it.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

import sqlalchemy as sa

from backend.pool import predictions, versions
from backend.pool.figures import Checked
from backend.pool.versions import VersionRow

Resource: TypeAlias = Literal["people", "teacher"]
MORE = 1.5  # times what the older student knew
STABLE = 0.02  # share of changed answers
IN_A_ROW = 2  # comparisons that must all be stable
ENOUGH = 100  # compared tasks below which nothing is concluded
ANSWERED = ("publishing", "promoted", "retired")  # states of versions that answered tasks
WORDS: dict[Resource, str] = {"people": "human labels", "teacher": "tasks shown to the teacher"}


def known(row: VersionRow, resource: Resource) -> int:
    """How much a version had learned from: human labels, or tasks that the teacher was shown."""
    if resource == "people":
        return row.human_labels
    return int(row.metrics.get("asked", row.metrics.get("candidate_sets", 0)))


def note_changes(engine: sa.Engine, project: int, version: str) -> None:
    """Compare a fresh version with older ones on the tasks that both answered, and keep the shares with it."""
    rows = versions.list_versions(engine, project)
    new = next(row for row in rows if row.version == version)
    found = {}
    for resource in WORDS:
        old = _older(rows, new, resource)
        if old is None:
            continue
        tasks, changed = predictions.compared(engine, project, old.version, version)
        if tasks:
            found[resource] = {"with": old.version, "tasks": tasks, "share": changed / tasks}
    versions.set_metrics(engine, project, version, {**new.metrics, "changed": found})


def _older(rows: Sequence[VersionRow], new: VersionRow, resource: Resource) -> VersionRow | None:
    """The newest version of the same labels that knew at most 1 / MORE as much and whose answers are there."""
    enough = known(new, resource) / MORE
    return next(
        (
            row
            for row in rows
            if row.number < new.number
            and row.space_hash == new.space_hash
            and row.state in ANSWERED
            and 0 < known(row, resource) <= enough
        ),
        None,
    )


def advice(
    rows: Sequence[VersionRow], checked: Mapping[str, Checked], resource: Resource, paid: bool = True
) -> dict[str, Any]:
    """`stop` (None: not known yet), the reason in a sentence, the curve, oldest version first, and where it says stop
    `stopped_at`: how much was known when that began.

    `rows` are the versions of the present labels, newest first; `checked` what people said about what they were shown.
    """
    curve = [_point(row, checked.get(row.version), resource) for row in reversed(rows)]
    judged = [point for point in reversed(curve) if point["changed"] is not None and point["compared"] >= ENOUGH]
    shares = [point["changed"] for point in judged[:IN_A_ROW]]
    stop = None if len(shares) < IN_A_ROW or not paid else max(shares) <= STABLE
    since = _since(judged) if stop else None
    return {"stop": stop, "reason": _reason(shares, stop, resource, paid), "stopped_at": since, "curve": curve}


def _since(judged: Sequence[Mapping[str, Any]]) -> int:
    """What was known when the unbroken row of stable comparisons was long enough; `judged` are points, newest first."""
    row = list(itertools.takewhile(lambda point: point["changed"] <= STABLE, judged))
    return int(row[-IN_A_ROW]["known"])


def _point(row: VersionRow, seen: Checked | None, resource: Resource) -> dict[str, Any]:
    changed = row.metrics.get("changed", {}).get(resource)
    return {
        "version": row.version,
        "known": known(row, resource),
        "accuracy": seen.accuracy if seen else None,
        "human_checked": seen.tasks if seen else 0,
        "changed": changed["share"] if changed else None,
        "compared": changed["tasks"] if changed else 0,
    }


def _reason(shares: Sequence[float], stop: bool | None, resource: Resource, paid: bool) -> str:
    what = WORDS[resource]
    if not paid:
        return "this teacher costs nothing"
    if stop is None:
        return (
            f"not known yet: it shows once {IN_A_ROW} students in a row have each learned from half as many {what} "
            f"again as an earlier one, and both answered {ENOUGH} tasks"
        )
    moved = f"half as many {what} again changed {shares[0]:.1%} of the student's answers"
    if stop:
        return f"{moved}, and {shares[1]:.1%} the time before: more of them will hardly change its accuracy"
    return f"{moved}: more of them still pay"
