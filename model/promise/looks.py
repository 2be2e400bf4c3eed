"""When an audit is looked at, and how the risk of a promise is shared between looks, versions and attempts.

Looking again and again until it looks good breaks promises. So the sizes at which an audit is looked at are fixed in
advance, and every look pays with its share of the risk; the union bound then holds whatever happens in between. A
standing audit serves many versions of a student; a new attempt (other labels, another target) draws a new audit.
"""

from __future__ import annotations

import math

from model.promise.acceptance import breaking_number, least_audit

GROWTH = 1.5  # of an audit from look to look
FIRST = 8  # the first look is sized as if there were so many
LARGEST = 0.5  # of the undecided tasks: an audit of more saves nothing
FEWEST = 15  # labels that may be wrong among the undecided: below, deciding all is about as fast
FIRST_ATTEMPT = 0.9  # of the risk; what is left is for all later ones


def look_sizes(undecided: int, pool: int, target: float, risk: float) -> tuple[int, ...]:
    """How many tasks are audited at each look; () where no audit of at most half of the rest can do, or the rest is so
    small that deciding all is about as fast (300 tasks for a target of 5 %).

    `risk` is one minus the confidence.
    """
    found: list[int] = []
    if target * undecided < FEWEST - 1e-9:
        return ()
    size = least_audit(undecided, breaking_number(pool, target), risk / FIRST)
    while 0 < size <= LARGEST * undecided:
        found.append(size)
        size = math.ceil(GROWTH * size)
    return tuple(found)


def look_risk(risk: float, looks: int, versions: int = 1) -> float:
    """The risk of one look of several, which may choose between so many versions of a student."""
    return risk / (max(1, looks) * versions)


def attempt_risk(risk: float, attempt: int) -> float:
    """The risk of the k-th attempt, k = 1, 2, ...: over all of them no more than `risk`."""
    if attempt == 1:
        return FIRST_ATTEMPT * risk
    return (1 - FIRST_ATTEMPT) * risk / ((attempt - 1) * attempt)
