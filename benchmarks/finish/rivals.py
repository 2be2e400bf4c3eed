"""Other ways to finish a pool, as published or as they are used."""

from __future__ import annotations

import math

import numpy as np

from benchmarks.finish.pools import Pool, doubts, taught
from benchmarks.finish.product import product_student
from benchmarks.finish.results import Result
from model.arrays import BoolArray, Doubles, FloatArray, IntArray

DRAWS = 500  # of PAC labels, as published for sets of about 2,000 rows
SINGLE_ROUND, OF_ROUND = 200, 200  # random labels of people for a student that is trained once, and draws beside them:
# of 100, 200, 400 and 200, 300, 500 the best on the sets that the plan was chosen on (benchmarks.finish.rounds)
SLACK, FEWEST = 0.25, 11  # of threshold-based auto-labelling, as in its published code
VALIDATION, BATCH, ROUNDS = 0.2, 100, 5  # the same: share of the pool, labels per round, rounds
STABLE, IN_A_ROW, MORE, STEP, GROWTH = 0.02, 2, 1.5, 20, 0.5  # today's stopping advice; labels between students


def everything(pool: Pool, target: float, risk: float) -> Result:
    """People decide every task."""
    return Result(len(pool), 0, 0.0, True)


def teacher_only(pool: Pool, target: float, risk: float) -> Result:
    """The LLM's first answer stands everywhere."""
    wrong = pool.said.argmax(axis=1) != pool.gold
    return Result(0, pool.calls, float(wrong.mean()), False)


def pac_teacher(pool: Pool, target: float, risk: float) -> Result:
    """PAC labels (arXiv 2506.10908) on the LLM's answers and confidences, with the betting bound."""
    return pac_labels(pool, pool.said, np.zeros(len(pool), bool), target, risk, DRAWS)


def pac_student(pool: Pool, target: float, risk: float) -> Result:
    """The same on a student that learned once from the LLM and some random labels of people."""
    known = random_labels(pool, SINGLE_ROUND)
    return pac_labels(pool, product_student(pool, known), known, target, risk, OF_ROUND)


def random_labels(pool: Pool, number: int) -> BoolArray:
    """So many tasks that people decide before a student is trained `(n,)`; a larger number holds a smaller one's."""
    known = np.zeros(len(pool), bool)
    known[pool.draw.permutation(len(pool))[:number]] = True
    return known


def pac_labels(pool: Pool, shares: FloatArray, known: BoolArray, target: float, risk: float, draws: int) -> Result:
    """`known` tasks are decided already and leave the pool, whose target grows by that."""
    rest = np.flatnonzero(~known)
    allowed = target * len(pool) / len(rest)
    said, doubt = shares.argmax(axis=1), doubts(shares)
    drawn = np.random.default_rng(pool.seed + 2).choice(rest, min(draws, len(rest)))
    limit = first_crossing((said[drawn] != pool.gold[drawn]).astype(np.float64), doubt[drawn], allowed, risk)
    people = known | (doubt >= limit)
    people[drawn] = True
    kept = ~people
    return Result(int(people.sum()), pool.calls, float((said != pool.gold)[kept].sum()) / len(pool), True)


def first_crossing(wrong: Doubles, doubt: Doubles, allowed: float, risk: float) -> float:
    """The least doubt at which the betting bound (arXiv 2010.09686, Theorem 3) does not refute a mean of `allowed`."""
    limits = np.unique(doubt)
    losses = wrong[None, :] * (doubt[None, :] <= limits[:, None])
    count = np.arange(1, losses.shape[1] + 1)
    means = (0.5 + np.cumsum(losses, axis=1)) / (count + 1)
    spread = (0.25 + np.cumsum((losses - means) ** 2, axis=1)) / (count + 1)
    before = np.hstack([np.full((len(limits), 1), 0.25), spread[:, :-1]])
    bets = np.minimum(np.sqrt(2 * math.log(1 / risk) / (before * count * np.log(1 + count))), 0.75 / (1 - allowed))
    capital = np.cumsum(np.log1p(-bets * (losses - allowed)), axis=1).max(axis=1)
    crossing = np.flatnonzero(capital < math.log(1 / risk))
    return float(limits[crossing[0]]) if len(crossing) else math.inf


def thresholds(pool: Pool, target: float, risk: float) -> Result:
    """Threshold-based auto-labelling (arXiv 2211.12620) with uncertainty sampling: thresholds per predicted label on
    validation labels. It names no confidence."""
    order = pool.draw.permutation(len(pool))
    validation = np.zeros(len(pool), bool)
    validation[order[: round(VALIDATION * len(pool))]] = True
    known, done = np.zeros(len(pool), bool), np.zeros(len(pool), bool)
    known[order[round(VALIDATION * len(pool)) :][:BATCH]] = True
    wrong, usable = 0, validation.copy()
    for _ in range(ROUNDS):
        shares = taught(pool, known)
        said, doubt = shares.argmax(axis=1), doubts(shares)
        left = ~(known | done | validation)
        surest = np.array([_threshold(said == label, usable, doubt, said != pool.gold, target)
                           for label in range(shares.shape[1])])  # fmt: skip
        sure = doubt < surest[said]
        wrong += int(((said != pool.gold) & left & sure).sum())
        done |= left & sure
        usable &= ~sure
        open_rows = np.flatnonzero(left & ~sure)
        known[open_rows[np.argsort(-doubt[open_rows])[:BATCH]]] = True
    return Result(int((~done).sum()), pool.calls, wrong / len(pool), True)


def _threshold(mine: BoolArray, usable: BoolArray, doubt: Doubles, wrong: BoolArray, target: float) -> float:
    """The largest doubt below which enough validation rows of a label are right, by the published slack."""
    rows = np.flatnonzero(mine & usable)
    rows = rows[np.argsort(doubt[rows])]
    number = np.arange(1, len(rows) + 1)
    error = np.cumsum(wrong[rows]) / np.maximum(number, 1) + SLACK / np.sqrt(np.maximum(number, 1))
    good = np.flatnonzero((error <= target) & (number >= FEWEST))
    return float(np.nextafter(doubt[rows[good[-1]]], np.inf)) if len(good) else -math.inf


def advice(pool: Pool, target: float, risk: float) -> Result:
    """Decide what the student chooses until today's advice says that more labels hardly change it; then its labels
    stand. It promises nothing."""
    known = np.zeros(len(pool), bool)
    known[pool.draw.choice(len(pool), 2 * STEP, replace=False)] = True
    answers: list[tuple[int, IntArray]] = []
    calm = 0
    while int(known.sum()) < len(pool):
        shares = taught(pool, known)
        said: IntArray = shares.argmax(axis=1).astype(np.int64)
        older = [one for number, one in answers if MORE * number <= int(known.sum())]
        calm = calm + 1 if older and float((older[-1] != said).mean()) <= STABLE else 0
        if calm >= IN_A_ROW:
            break
        answers.append((int(known.sum()), said))
        open_rows = np.flatnonzero(~known)
        more = max(STEP, math.ceil(GROWTH * known.sum()))
        known[open_rows[np.argsort(-doubts(shares)[open_rows])[:more]]] = True
    return Result(int(known.sum()), pool.calls, float((said != pool.gold)[~known].sum()) / len(pool), False)
