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
    `errors` of the `audited` were found. `border` is the first certainty that is not accepted; None: there is none."""

    acceptance: int
    audited: int
    errors: int
    border: Certainty | None
    accepted: frozenset[int]
    people: frozenset[int]


def look(undecided: Mapping[int, Certainty], audited: Set[int], wrong: Set[int], breaking: int, risk: float) -> Look:
    """Leave to the student what comes before the (c + 1)-th error of the audit.

    `undecided` are all tasks that the audit is drawn from, `audited` and `wrong` those of them that people decided for
    it, and where they decided otherwise than the student. A wrong task below the border counts as mended.
    """
    acceptance = acceptance_number(len(undecided), breaking, len(audited), risk)
    rest = undecided.keys() - audited
    errors = sorted(undecided[task] for task in wrong)
    if acceptance < 0:
        border: Certainty | None = (-math.inf, 0.0)
    else:
        border = errors[acceptance] if len(errors) > acceptance else None
    accepted = frozenset(task for task in rest if border is None or undecided[task] < border)
    return Look(acceptance, len(audited), len(wrong), border, accepted, frozenset(rest - accepted))
