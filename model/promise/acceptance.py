"""How many errors an audit may show before the rest of a finite pool cannot be left to a student.

`pool` tasks are fixed; people decided some, or were asked for a reason other than the audit; of the `undecided` rest
the audit is a simple random sample without replacement. At most `floor(target * pool)` labels of the finished pool may
be wrong. The rule is exact for 0-1 loss: failing means that of the first `breaking + c` errors of the rest, in order of
the student's uncertainty, at most `c` are in the audit, and that number is hypergeometric.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from model.arrays import Doubles, IntArray

NONE = -1  # the acceptance number of an audit that is too small: nothing may be left to the student


def breaking_number(pool: int, target: float) -> int:
    """The least number of wrong labels that breaks a promise of at most a share `target` of `pool` tasks."""
    return math.floor(target * pool + 1e-9) + 1


def at_most(errors: int, undecided: int, wrong: int, audited: int) -> float:
    """P(Hypergeometric <= errors): that an audit of so many of the `undecided` shows at most `errors` of the `wrong`.

    Equals `scipy.stats.hypergeom.cdf(errors, undecided, wrong, audited)`; no more can be wrong than are undecided.
    """
    wrong = min(wrong, undecided)
    lowest = max(0, audited - (undecided - wrong))
    highest = min(errors, wrong, audited)
    if highest < lowest:
        return 0.0
    seen = np.arange(lowest, highest + 1)
    logs = _log_factorials(_size(undecided))
    ways = _choose(logs, wrong, seen) + _choose(logs, undecided - wrong, audited - seen)
    return min(1.0, float(np.exp(ways - _choose(logs, undecided, audited)).sum()))


@lru_cache(maxsize=4096)
def acceptance_number(undecided: int, breaking: int, audited: int, risk: float) -> int:
    """The largest c for which `breaking + c` wrong tasks show at most c errors with probability <= risk; NONE (-1) if
    even c = 0 fails.

    The probability rises with c, so that the border between passing and failing is found by halving. Where so many
    tasks cannot be wrong, or all are audited, no rule is needed: c is then the number of audited tasks.
    """
    most = undecided - breaking + 1  # from here on there are not enough tasks to break the promise
    if audited >= undecided or most <= 0:
        return audited
    low, high = NONE, min(most, audited + 1)  # low passes, high does not, or needs no rule
    while high - low > 1:
        middle = (low + high) // 2
        if at_most(middle, undecided, breaking + middle, audited) <= risk:
            low = middle
        else:
            high = middle
    return audited if low == min(most, audited + 1) - 1 else low


@lru_cache(maxsize=1024)
def least_audit(undecided: int, breaking: int, risk: float) -> int:
    """The smallest audit after which something may be left to the student: with no error found, everything."""
    if breaking > undecided:
        return 0
    low, high = 0, undecided
    while low < high:
        middle = (low + high) // 2
        if at_most(0, undecided, breaking, middle) <= risk:
            high = middle
        else:
            low = middle + 1
    return low


def _choose(logs: Doubles, of: int, taken: int | IntArray) -> Doubles:
    """log of the binomial coefficient."""
    found: Doubles = logs[of] - logs[taken] - logs[of - taken]
    return found


def _size(largest: int) -> int:
    """Rounded up, so that few tables are made."""
    return 1 << max(10, (largest + 1).bit_length())


@lru_cache(maxsize=8)
def _log_factorials(size: int) -> Doubles:
    return np.array([math.lgamma(number + 1) for number in range(size)])
