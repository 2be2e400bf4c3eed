"""Our way to finish a pool: a standing audit by random ranks beside active learning, looks fixed in advance.

The looks, the rule and whether to go on are the product's own (`model/promise`), and so is how many tasks scores choose
before each; what people do is played by gold labels.
"""

from __future__ import annotations

import math

import numpy as np

from benchmarks.finish.pools import Pool, Teach, doubts
from benchmarks.finish.product import product_student
from benchmarks.finish.results import Result
from model.arrays import BoolArray, Doubles, FloatArray, IntArray
from model.promise.acceptance import breaking_number
from model.promise.border import look
from model.promise.forecast import forecast, worth_going_on
from model.promise.looks import Step, attempt_risk, look_risk, plan

FIRST = 40  # tasks that people decide before the audit
GROWTH = 1.5  # of the chosen tasks from one student to the next


def ours(pool: Pool, target: float, risk: float, teach: Teach = product_student) -> Result:
    """Finish at the look after which the next ones cannot be hoped to help."""
    ranks = pool.draw.random(len(pool))
    chosen = np.zeros(len(pool), bool)
    chosen[np.random.default_rng(pool.seed + 1).choice(len(pool), min(FIRST, len(pool)), replace=False)] = True
    first = int(chosen.sum())
    steps = plan(len(pool) - first, len(pool), target, attempt_risk(risk, 1))
    breaking, paid = breaking_number(len(pool), target), look_risk(attempt_risk(risk, 1), len(steps))
    best: tuple[IntArray, IntArray] | None = None
    decided = chosen.copy()
    for place, step in enumerate(steps):
        shares = _learn(pool, chosen, teach, first + step.chosen)
        rest = np.flatnonzero(~chosen)
        audited = rest[np.argsort(ranks[rest])[: step.audited]]
        said, doubt = shares.argmax(axis=1), doubts(shares)
        wrong = {int(task) for task in audited if said[task] != pool.gold[task]}
        places = {int(task): (float(doubt[task]), float(ranks[task])) for task in rest}
        found = look(places, set(audited.tolist()), wrong, breaking, paid)
        kept = np.array(sorted(found.accepted), np.int64)
        decided |= chosen
        decided[audited] = True
        if len(kept) and (best is None or len(kept) > len(best[0])):
            best = kept, said
        later = [Step(first + one.chosen - int(chosen.sum()), one.audited) for one in steps[place + 1 :]]
        if best is not None and not (later and _goes_on(doubt, rest, audited, wrong, breaking, later, paid, best[0])):
            break
    return _finished(pool, best, decided)


def _goes_on(
    doubt: Doubles,
    rest: IntArray,
    audited: IntArray,
    wrong: set[int],
    breaking: int,
    later: list[Step],
    paid: float,
    kept: IntArray,
) -> bool:
    rows = np.searchsorted(rest, audited)
    bad = np.array([float(int(task) in wrong) for task in audited])
    chosen = len(doubt) - len(rest)
    hoped = forecast(doubt[rest], rows, bad, breaking, later, paid).hoped + chosen
    return worth_going_on(hoped, len(doubt) - len(kept))


def _finished(pool: Pool, best: tuple[IntArray, IntArray] | None, decided: BoolArray) -> Result:
    """Rows that may keep the answers of the best look, and those answers; what people decided later stays theirs."""
    if best is None:
        return Result(len(pool), pool.calls, 0.0, True)
    kept, said = best
    kept = kept[~decided[kept]]
    wrong = int((said[kept] != pool.gold[kept]).sum())
    return Result(len(pool) - len(kept), pool.calls, wrong / len(pool), True)


def _learn(pool: Pool, chosen: BoolArray, teach: Teach, until: int) -> FloatArray:
    """Retrain while scores choose, whatever is audited, until so many are `chosen`."""
    while (now := int(chosen.sum())) < until:
        shares = teach(pool, chosen)
        two = np.sort(shares, axis=1)[:, -2:]
        margin = np.where(chosen, np.inf, two[:, 1] - two[:, 0])
        chosen[np.argsort(margin)[: min(until, math.ceil(GROWTH * now)) - now]] = True
    return teach(pool, chosen)
