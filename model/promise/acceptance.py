"""How many errors an audit may show before the rest of a finite pool cannot be left to a student.

`pool` tasks are fixed; people decided some, or were asked for a reason other than the audit; of the `undecided` rest
the audit is a simple random sample without replacement. At most `floor(target * pool)` labels of the finished pool may
be wrong. The rule is exact for 0-1 loss: failing means that of the first `breaking + c` errors of the rest, in order of
the student's uncertainty, at most `c` are in the audit, and that number is hypergeometric.

Losses may also be multiples of `1 / steps` up to 1; then everything is counted in these units. The border is the first
audited task with which the audit's loss exceeds `c`, so that before it the audit has lost at least `c + 1 - steps`: of
the first `breaking + max(0, c + 1 - steps)` units of loss the audit has seen at most `c`. How likely that is, is
bounded without knowing how losses are spread: a list of losses in [0, 1] with a whole sum is a mean of lists of as many
ones and noughts, so that E f(loss seen) <= E f(H) for every convex f, with H hypergeometric (Jensen; for draws with
replacement Hoeffding 1963), and with f(x) = max(0, t - x), P(loss seen <= c) <= E max(0, t - H) / (t - c) for all t > c
(as Bentkus 2004, Annals of Probability 32). One step is the exact rule.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from model.arrays import Doubles, IntArray

NONE = -1  # the acceptance number of an audit that is too small: nothing may be left to the student


def breaking_number(pool: int, target: float, steps: int = 1) -> int:
    """The least number of wrong labels, or of units of loss, that breaks a promise of at most a share `target` of
    `pool` tasks."""
    return math.floor(target * pool * steps + 1e-9) + 1


def at_most(errors: int, undecided: int, wrong: int, audited: int) -> float:
    """P(Hypergeometric <= errors): that an audit of so many of the `undecided` shows at most `errors` of the `wrong`.

    Equals `scipy.stats.hypergeom.cdf(errors, undecided, wrong, audited)`; no more can be wrong than are undecided.
    """
    wrong = min(wrong, undecided)
    lowest = max(0, audited - (undecided - wrong))
    highest = min(errors, wrong, audited)
    if highest < lowest:
        return 0.0
    return min(1.0, float(_chances(np.arange(lowest, highest + 1), undecided, wrong, audited).sum()))


def seen_at_most(seen: int, undecided: int, lost: int, audited: int, steps: int) -> float:
    """A bound on P(an audit sees at most so much of what is `lost`), both in units of 1 / steps; exact for one step."""
    wrong = min(lost // steps, undecided)
    if steps == 1:
        return at_most(seen, undecided, wrong, audited)
    below = np.cumsum(_below(undecided, wrong, audited))  # E max(0, t - H) for t = 1, 2, ...
    ends = np.arange(seen // steps + 1, len(below) + 1)
    return min(1.0, float((below[ends - 1] / (ends - seen / steps)).min())) if len(ends) else 1.0


@lru_cache(maxsize=256)
def _below(undecided: int, wrong: int, audited: int) -> Doubles:
    """P(Hypergeometric <= errors) for errors = 0 to `audited`, all at once."""
    chances: Doubles = np.zeros(audited + 1)
    seen = np.arange(max(0, audited - (undecided - wrong)), min(wrong, audited) + 1)
    chances[seen] = _chances(seen, undecided, wrong, audited)
    return np.cumsum(chances)


@lru_cache(maxsize=4096)
def acceptance_number(undecided: int, breaking: int, audited: int, risk: float, steps: int = 1) -> int:
    """The largest c for which `breaking + c` wrong tasks show at most c errors with probability <= risk; NONE (-1) if
    even c = 0 fails. With several steps both `breaking` and c are units of loss.

    The probability rises with c, so that the border between passing and failing is found by halving. Where so many
    tasks cannot be wrong, or all are audited, no rule is needed: c is then the number of audited tasks.
    """
    most = undecided - breaking + 1  # from here on there are not enough tasks to break the promise
    if audited >= undecided or undecided * steps < breaking:
        return audited * steps
    if steps > 1:
        return _largest(undecided, breaking, audited, risk, steps)
    low, high = NONE, min(most, audited + 1)  # low passes, high does not, or needs no rule
    while high - low > 1:
        middle = (low + high) // 2
        if at_most(middle, undecided, breaking + middle, audited) <= risk:
            low = middle
        else:
            high = middle
    return audited if low == min(most, audited + 1) - 1 else low


def _largest(undecided: int, breaking: int, audited: int, risk: float, steps: int) -> int:
    """Any c that passes will do; as the bound jumps with whole errors only, a whole one of failures ends the search."""
    found = NONE
    for seen in range(audited * steps):
        lost = breaking + max(0, seen + 1 - steps)
        if seen_at_most(seen, undecided, lost, audited, steps) <= risk:
            found = seen
        elif seen - found > steps:
            break
    return found


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


def _chances(seen: IntArray, undecided: int, wrong: int, audited: int) -> Doubles:
    """P(Hypergeometric = errors) for each number of errors `seen`, all of which are possible."""
    logs = _log_factorials(_size(undecided))
    ways = _choose(logs, wrong, seen) + _choose(logs, undecided - wrong, audited - seen)
    chances: Doubles = np.exp(ways - _choose(logs, undecided, audited))
    return chances


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
