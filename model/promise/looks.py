"""When an audit is looked at, and how the risk of a promise is shared between looks, versions and attempts.

Looking again and again until it looks good breaks promises. So both the size of the audit and the number of tasks that
scores have chosen by each look are fixed in advance, and every look pays with its share of the risk; the union bound
then holds whatever happens in between. A standing audit serves many versions of a student; a new attempt (other labels,
another target) draws a new audit.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from model.promise.acceptance import acceptance_number, breaking_number, least_audit

FIRST = 8  # the least audit is that of a look that pays an eighth of the risk
TIMES = 2  # as large is an audit, where that is at most
SMALL = 0.125  # of the undecided tasks
LARGEST = 0.5  # of the undecided tasks: an audit of more saves nothing
CHOSEN = (0.08, 0.16, 0.32)  # of the undecided tasks: what scores have chosen by each look
FEWEST = 15  # labels that may be wrong among the undecided: below, deciding all is about as fast
FIRST_ATTEMPT = 0.9  # of the risk; what is left is for all later ones


class Step(NamedTuple):
    """What a look waits for: tasks that scores have chosen since the beginning, and tasks that are audited."""

    chosen: int
    audited: int


def plan(undecided: int, pool: int, target: float, risk: float, strata: int = 1) -> tuple[Step, ...]:
    """The looks at an audit; () where no audit of at most half of the rest can do, or the rest is so small that
    deciding all is about as fast (300 tasks for a target of 5 %).

    Every look has about the same audit beside twice as many chosen tasks as the one before: a student that has learned
    from what it doubted leaves fewer errors, and then a small audit is enough. `risk` is one minus the confidence.
    Where a promise is about each of so many `strata`, they are audited as if they were alike, up to half of the rest;
    what is too rare stays with people.
    """
    if target * undecided < FEWEST - 1e-9:
        return ()
    picks = [math.ceil(share * undecided) for share in CHOSEN]
    if strata > 1:
        each = undecided // strata
        least = strata * least_audit(each, breaking_number(each, target), risk / (FIRST * strata))
        return tuple(Step(chosen, min(least, math.floor(LARGEST * undecided))) for chosen in picks)
    breaking = breaking_number(pool, target)
    audited = least_audit(undecided, breaking, risk / FIRST)
    if not 0 < audited <= LARGEST * undecided:
        return ()
    audited = max(audited, min(TIMES * audited, math.floor(SMALL * undecided)))
    steps: list[Step] = []
    for chosen in picks:
        audited = _full(undecided - chosen, breaking, audited, look_risk(risk, len(picks)))
        steps.append(Step(chosen, audited))
    return tuple(steps)


def _full(left: int, breaking: int, audited: int, risk: float) -> int:
    """The least audit of no fewer tasks at which one error more may be found than in one a task smaller: the acceptance
    number grows by leaps, and tasks audited after one only find errors. As it is where there is no leap."""
    before = acceptance_number(left, breaking, audited - 1, risk)
    sizes = range(audited, math.floor(LARGEST * left) + 1)
    return next((size for size in sizes if acceptance_number(left, breaking, size, risk) > before), audited)


def look_risk(risk: float, looks: int, versions: int = 1) -> float:
    """The risk of one look of several, which may choose between so many versions of a student."""
    return risk / (max(1, looks) * versions)


def attempt_risk(risk: float, attempt: int) -> float:
    """The risk of the k-th attempt, k = 1, 2, ...: over all of them no more than `risk`."""
    if attempt == 1:
        return FIRST_ATTEMPT * risk
    return (1 - FIRST_ATTEMPT) * risk / ((attempt - 1) * attempt)
