"""A stage: copies of the members learn from new hard tasks and a replay of old ones, and replace them if they may."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import structlog

from model.arrays import FloatArray, IntArray
from model.committee.gate import Gate, GateReport, HoldOut, judge
from model.committee.hard_pool import HardPool, HardRow
from model.committee.member import Member, member_probabilities
from model.committee.voting import tally

log = structlog.get_logger(__name__)

HELD_SHARE = 0.2
STAGE_AFTER = 500  # new reviewed rows

Train = Callable[[Member, "StageData"], tuple[Member, float]]  # a new member (the old one untouched), and its loss


@dataclass(frozen=True)
class StageData:
    """What a stage trains on: task ids with their sets of labels. Held-out tasks are never in it."""

    fresh: dict[int, tuple[str, ...]]
    replayed: dict[int, tuple[str, ...]]
    human: dict[int, tuple[str, ...]]

    def rows(self) -> dict[int, tuple[str, ...]]:
        """All of it; a person's set wins."""
        return {**self.replayed, **self.fresh, **self.human}


@dataclass(frozen=True)
class StageReport:
    """Decisions per member and for the whole committee."""

    stage: int
    rows: int
    promoted: bool
    members: dict[str, GateReport] = field(default_factory=dict)
    committee: GateReport | None = None


def held_out(task: int, share: float = HELD_SHARE) -> bool:
    """Whether a task is hold-out: decided by its id alone, so that it is the same in every stage and on every host."""
    digest = hashlib.sha256(f"hold-out {task}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64


def due(pool: HardPool, stage_after: int = STAGE_AFTER) -> bool:
    """Whether enough new rows wait."""
    return len(pool.fresh()) >= stage_after


def plan_stage(
    pool: HardPool, agreed: Mapping[int, str], human: Mapping[int, tuple[str, ...]], seed: int
) -> StageData | None:
    """New hard rows, as many again as replay (half earlier hard rows, half unanimously accepted ones, balanced over
    labels), and all human labels, without the hold-out. None if no row is new."""
    fresh = {row.task: row.labels for row in pool.fresh() if not held_out(row.task)}
    if not fresh:
        return None
    old = [row for row in pool.seen() if not held_out(row.task)]
    easy = {task: label for task, label in agreed.items() if not held_out(task) and task not in pool}
    half = len(fresh) // 2
    generator = np.random.default_rng(seed)
    again = balanced_draw([row.task for row in old], [row.labels[0] for row in old], half, generator)
    kept = balanced_draw(list(easy), list(easy.values()), len(fresh) - half, generator)
    replayed = {row.task: row.labels for row in old if row.task in set(again)} | {task: (easy[task],) for task in kept}
    people = {task: labels for task, labels in human.items() if labels and not held_out(task)}
    return StageData(fresh, replayed, people)


def balanced_draw(tasks: Sequence[int], labels: Sequence[str], count: int, generator: np.random.Generator) -> list[int]:
    """Up to `count` tasks, dealt out over labels in a random order."""
    by_label: dict[str, list[int]] = {}
    for place in generator.permutation(len(tasks)):
        by_label.setdefault(labels[place], []).append(tasks[place])
    drawn: list[int] = []
    for place in range(max(map(len, by_label.values()), default=0)):
        drawn += [rows[place] for _, rows in sorted(by_label.items()) if place < len(rows)]
    return drawn[:count]


def run_stage(
    members: Sequence[Member],
    train: Train,
    data: StageData,
    held_texts: Sequence[str],
    known: HoldOut,
    stage: int,
    gate: Gate | None = None,
) -> tuple[list[Member], StageReport]:
    """Train copies, judge each and then all together; the members that are served afterwards, and why.

    A rejected member stays the very same object; if the new committee is rejected, all stay. `train` must not change
    the member it is given.
    """
    served: list[Member] = []
    reports: dict[str, GateReport] = {}
    for member in members:
        if not member.trainable:
            served.append(member)
            continue
        copy, loss = train(member, data)
        reports[member.name] = judge(_labels([member], held_texts), _labels([copy], held_texts), known, loss, gate)
        served.append(copy if reports[member.name].promoted else member)
    whole: GateReport | None = None
    if any(report.promoted for report in reports.values()):
        whole = judge(_labels(members, held_texts), _labels(served, held_texts), known, 0.0, gate)
    promoted = whole is not None and (whole.promoted or whole.reason == "no better")
    log.info("committee_stage", stage=stage, promoted=promoted, members={k: r.reason for k, r in reports.items()})
    report = StageReport(stage, len(data.rows()), promoted, reports, whole)
    return (served if promoted else list(members)), report


def _labels(members: Sequence[Member], texts: Sequence[str]) -> IntArray:
    """The plurality label of some members; equal counts go to the larger mean probability."""
    probabilities: FloatArray = member_probabilities(members, texts)
    found = tally(probabilities)
    best = probabilities.mean(axis=0).argmax(axis=1)
    return np.where(found.tied | (found.top < 0), best, found.top).astype(np.int64)


def hold_out_rows(pool: HardPool) -> list[HardRow]:
    """The reviewed rows that no stage may train on."""
    return [row for row in pool if held_out(row.task)]
