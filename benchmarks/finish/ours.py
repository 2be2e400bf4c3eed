"""Our way to finish a pool: a standing audit by random ranks beside active learning, looks fixed in advance.

The looks, the rule and whether to go on are the product's own (`model/promise`), and so is how many tasks scores choose
before each; what people do is played by gold labels. What is chosen never depends on the audit, so that the students of
one pool (`Stage`) serve any number of audits.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.finish.pools import FIRST, Pool, Teach, doubts, first_labels
from benchmarks.finish.product import product_student
from benchmarks.finish.results import Result
from model.arrays import BoolArray, Doubles, FloatArray, IntArray
from model.promise.acceptance import breaking_number
from model.promise.border import look
from model.promise.forecast import hoped, worth_going_on
from model.promise.looks import Step, attempt_risk, look_risk, plan

GROWTH = 1.5  # of the chosen tasks from one student to the next


@dataclass(frozen=True)
class Stage:
    """A pool at one look: which tasks people have decided because scores chose them `(n,)`, and what the student of
    that moment says of every task, with its uncertainty."""

    chosen: BoolArray
    said: IntArray
    doubt: Doubles


def ours(pool: Pool, target: float, risk: float, teach: Teach = product_student) -> Result:
    """Finish at the look after which the next ones cannot be hoped to help."""
    steps = planned(pool, target, risk)
    return settle(pool, steps, stages(pool, steps, teach), pool.draw.random(len(pool)), target, risk)


def planned(pool: Pool, target: float, risk: float) -> tuple[Step, ...]:
    """The product's looks; `chosen` counts what people decided before, too."""
    first = min(FIRST, len(pool))
    found = plan(len(pool) - first, len(pool), target, attempt_risk(risk, 1))
    return tuple(Step(first + step.chosen, step.audited) for step in found)


def stages(pool: Pool, steps: Sequence[Step], teach: Teach) -> Iterator[Stage]:
    """The pool at each look."""
    chosen = first_labels(pool)
    shares = teach(pool, chosen)
    for step in steps:
        shares = _learn(pool, chosen, teach, step.chosen, shares)
        yield Stage(chosen.copy(), shares.argmax(axis=1).astype(np.int64), doubts(shares))


def settle(
    pool: Pool, steps: Sequence[Step], found: Iterable[Stage], ranks: Doubles, target: float, risk: float
) -> Result:
    """What comes of one audit, whose order are the `ranks` `(n,)`."""
    breaking, paid = breaking_number(len(pool), target), look_risk(attempt_risk(risk, 1), len(steps))
    best: tuple[IntArray, IntArray] | None = None
    decided = np.zeros(len(pool), bool)
    for place, (step, stage) in enumerate(zip(steps, found, strict=True)):
        rest = np.flatnonzero(~stage.chosen)
        audited = rest[np.argsort(ranks[rest])[: step.audited]]
        bad = stage.said[audited] != pool.gold[audited]
        places = {int(task): (float(stage.doubt[task]), float(ranks[task])) for task in rest}
        sees = look(places, set(audited.tolist()), dict.fromkeys(audited[bad].tolist(), 1), breaking, paid)
        kept = np.array(sorted(sees.accepted), np.int64)
        decided |= stage.chosen
        decided[audited] = True
        if len(kept) and (best is None or len(kept) > len(best[0])):
            best = kept, stage.said
        now = int(stage.chosen.sum())
        later = [Step(one.chosen - now, one.audited) for one in steps[place + 1 :]]
        if best is None or not later:
            continue
        rows = np.searchsorted(rest, audited)
        more = now + hoped(stage.doubt[rest], rows, bad.astype(np.float64), breaking, later, paid)
        if not worth_going_on(more, len(pool) - len(best[0])):
            break
    return _finished(pool, best, decided)


def _finished(pool: Pool, best: tuple[IntArray, IntArray] | None, decided: BoolArray) -> Result:
    """Rows that may keep the answers of the best look, and those answers; what people decided later stays theirs."""
    if best is None:
        return Result(len(pool), pool.calls, 0.0, True)
    kept, said = best
    kept = kept[~decided[kept]]
    wrong = int((said[kept] != pool.gold[kept]).sum())
    return Result(len(pool) - len(kept), pool.calls, wrong / len(pool), True)


def _learn(pool: Pool, chosen: BoolArray, teach: Teach, until: int, shares: FloatArray) -> FloatArray:
    """Retrain while scores choose, whatever is audited, until so many are `chosen`: from what the student of the
    `chosen` says to what that of all says."""
    while (now := int(chosen.sum())) < until:
        two = np.sort(shares, axis=1)[:, -2:]
        margin = np.where(chosen, np.inf, two[:, 1] - two[:, 0])
        chosen[np.argsort(margin)[: min(until, math.ceil(GROWTH * now)) - now]] = True
        shares = teach(pool, chosen)
    return shares
