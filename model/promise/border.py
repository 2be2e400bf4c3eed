"""The border between what a student's labels may stand for and what people must see, once an audit is complete."""

from __future__ import annotations

import math
from collections.abc import Mapping, Set
from dataclasses import dataclass

from model.promise.acceptance import acceptance_number

Certainty = tuple[float, float]  # uncertainty of the answer that would stand, and the task's rank, which breaks ties


@dataclass(frozen=True)
class Look:
    """What one look at an audit found. `accepted` may keep the student's label, `people` must be seen by people;
    `errors` of the `audited` were found, or units of loss. `border` is the first certainty that is not accepted; None:
    there is none."""

    acceptance: int
    audited: int
    errors: int
    border: Certainty | None
    accepted: frozenset[int]
    people: frozenset[int]


def look(
    undecided: Mapping[int, Certainty],
    audited: Set[int],
    lost: Mapping[int, int],
    breaking: int,
    risk: float,
    steps: int = 1,
) -> Look:
    """Leave to the student what comes before the (c + 1)-th error of the audit.

    `undecided` are all tasks that the audit is drawn from, `audited` those of them that people decided for it, `lost`
    what the student's answer loses where they decided otherwise: 1, or of `steps` units some. A wrong task below the
    border counts as mended.
    """
    acceptance = acceptance_number(len(undecided), breaking, len(audited), risk, steps)
    rest = undecided.keys() - audited
    border = _border(undecided, lost, acceptance)
    accepted = frozenset(task for task in rest if border is None or undecided[task] < border)
    return Look(acceptance, len(audited), sum(lost.values()), border, accepted, frozenset(rest - accepted))


def _border(undecided: Mapping[int, Certainty], lost: Mapping[int, int], acceptance: int) -> Certainty | None:
    """Where the audit has lost more than is accepted."""
    if acceptance < 0:
        return (-math.inf, 0.0)
    seen = 0
    for place, task in sorted((undecided[task], task) for task in lost):
        seen += lost[task]
        if seen > acceptance:
            return place
    return None
