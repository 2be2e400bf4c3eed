"""Our way to finish a pool: a standing audit by random ranks beside active learning, looks at fixed sizes.

The rule is the product's own (`model/promise`); what people do is played by gold labels.
"""

from __future__ import annotations

import numpy as np

from benchmarks.finish.pools import Pool, doubts, taught
from benchmarks.finish.results import Result
from model.arrays import BoolArray, FloatArray
from model.promise.acceptance import breaking_number
from model.promise.border import look
from model.promise.forecast import forecast
from model.promise.looks import attempt_risk, look_risk, look_sizes

FIRST = 40  # tasks that people decide before the audit
CHOSEN = 1.0  # tasks that scores choose, per audited one; chosen on trec
RETRAININGS = 2  # between two looks
WORTH = 0.95  # of people's work: a further look that is expected to save less is not waited for


def ours(pool: Pool, target: float, risk: float) -> Result:
    """Finish at the look from which no further one is expected to help."""
    ranks = pool.draw.random(len(pool))
    chosen = np.zeros(len(pool), bool)
    chosen[np.random.default_rng(pool.seed + 1).choice(len(pool), min(FIRST, len(pool)), replace=False)] = True
    left = int((~chosen).sum())
    sizes = look_sizes(left, len(pool), target, attempt_risk(risk, 1))
    breaking, paid = breaking_number(len(pool), target), look_risk(attempt_risk(risk, 1), max(1, len(sizes)))
    best: tuple[int, float] | None = None
    for place, size in enumerate(sizes):
        shares = _learn(pool, chosen, FIRST + round(CHOSEN * size))
        rest = np.flatnonzero(~chosen)
        audited = rest[np.argsort(ranks[rest])[:size]]
        said, doubt = shares.argmax(axis=1), doubts(shares)
        wrong = {int(task) for task in audited if said[task] != pool.gold[task]}
        places = {int(task): (float(doubt[task]), float(ranks[task])) for task in rest}
        found = look(places, set(audited.tolist()), wrong, breaking, paid)
        kept = np.array(sorted(found.accepted), np.int64)
        people = len(pool) - len(kept)
        if len(kept) and (best is None or people < best[0]):
            best = people, float((said[kept] != pool.gold[kept]).sum()) / len(pool)
        order = {int(task): row for row, task in enumerate(rest)}
        rows = np.array([order[int(task)] for task in audited], np.int64)
        bad = np.array([float(int(task) in wrong) for task in audited])
        later = sizes[place + 1 :]
        more = forecast(doubt[rest], rows, bad, breaking, later, paid).decisions + int(chosen.sum()) if later else None
        if best is not None and (more is None or more >= WORTH * best[0]):
            break
    people, error = best if best is not None else (len(pool), 0.0)
    return Result(people, pool.calls, error, True)


def _learn(pool: Pool, chosen: BoolArray, until: int) -> FloatArray:
    """Retrain while scores choose, whatever is audited, until so many are `chosen`."""
    for left in range(RETRAININGS, 0, -1):
        shares = taught(pool, chosen)
        two = np.sort(shares, axis=1)[:, -2:]
        margin = np.where(chosen, np.inf, two[:, 1] - two[:, 0])
        more = max(0, until - int(chosen.sum())) // left
        chosen[np.argsort(margin)[:more]] = True
    return taught(pool, chosen)
