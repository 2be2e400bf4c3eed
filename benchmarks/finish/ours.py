"""Our way to finish a pool: a standing audit by random ranks beside active learning, looks at fixed sizes.

The rule is the product's own (`model/promise`); what people do is played by gold labels.
"""

from __future__ import annotations

import numpy as np

from benchmarks.finish.pools import Pool, Teach, doubts
from benchmarks.finish.product import product_student
from benchmarks.finish.results import Result
from model.arrays import BoolArray, FloatArray, IntArray
from model.promise.acceptance import breaking_number
from model.promise.border import look
from model.promise.forecast import forecast
from model.promise.looks import attempt_risk, look_risk, look_sizes

FIRST = 40  # tasks that people decide before the audit
CHOSEN = 1.0  # tasks that scores choose, per audited one; chosen on trec
RETRAININGS = 1  # between two looks
WORTH = 0.95  # of people's work: a look that spares them less is not worth the next one


def ours(pool: Pool, target: float, risk: float, teach: Teach = product_student) -> Result:
    """Finish at the look that helped little, where the next ones are not expected to help either."""
    ranks = pool.draw.random(len(pool))
    chosen = np.zeros(len(pool), bool)
    chosen[np.random.default_rng(pool.seed + 1).choice(len(pool), min(FIRST, len(pool)), replace=False)] = True
    left = int((~chosen).sum())
    sizes = look_sizes(left, len(pool), target, attempt_risk(risk, 1))
    breaking, paid = breaking_number(len(pool), target), look_risk(attempt_risk(risk, 1), max(1, len(sizes)))
    best: tuple[IntArray, IntArray] | None = None
    decided = chosen.copy()
    for place, size in enumerate(sizes):
        shares = _learn(pool, chosen, teach, FIRST + round(CHOSEN * size))
        rest = np.flatnonzero(~chosen)
        audited = rest[np.argsort(ranks[rest])[:size]]
        said, doubt = shares.argmax(axis=1), doubts(shares)
        wrong = {int(task) for task in audited if said[task] != pool.gold[task]}
        places = {int(task): (float(doubt[task]), float(ranks[task])) for task in rest}
        found = look(places, set(audited.tolist()), wrong, breaking, paid)
        kept = np.array(sorted(found.accepted), np.int64)
        decided |= chosen
        decided[audited] = True
        before = len(pool) - (len(best[0]) if best is not None else 0)
        if len(kept) and (best is None or len(kept) > len(best[0])):
            best = kept, said
        order = {int(task): row for row, task in enumerate(rest)}
        rows = np.array([order[int(task)] for task in audited], np.int64)
        bad = np.array([float(int(task) in wrong) for task in audited])
        later = sizes[place + 1 :]
        more = forecast(doubt[rest], rows, bad, breaking, later, paid).decisions + int(chosen.sum()) if later else None
        people = len(pool) - (len(best[0]) if best is not None else 0)
        if best is not None and (more is None or (more >= WORTH * people and people >= WORTH * before)):
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


def _learn(pool: Pool, chosen: BoolArray, teach: Teach, until: int) -> FloatArray:
    """Retrain while scores choose, whatever is audited, until so many are `chosen`."""
    for left in range(RETRAININGS, 0, -1):
        shares = teach(pool, chosen)
        two = np.sort(shares, axis=1)[:, -2:]
        margin = np.where(chosen, np.inf, two[:, 1] - two[:, 0])
        more = max(0, until - int(chosen.sum())) // left
        chosen[np.argsort(margin)[:more]] = True
    return teach(pool, chosen)
