"""Selecting a batch: a random share that keeps estimates honest, and the rest by score and spread."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import structlog

from model.acquisition.pool import Pool, blocks
from model.acquisition.score import Score, score_rows
from model.acquisition.spread import KMeansSpread, NoSpread, Spread
from model.acquisition.uncertainty import RandomScore, margins
from model.arrays import BoolArray, FloatArray, IntArray

log = structlog.get_logger(__name__)

RANDOM_SHARE = 0.2


@dataclass(frozen=True)
class Rule:
    """How to choose. `random_share` of every batch is drawn blindly; `balance` deals out over the student's labels."""

    name: str
    score: Score
    spread: Spread = field(default_factory=KMeansSpread)
    random_share: float = RANDOM_SHARE
    balance: bool = False

    def __post_init__(self) -> None:
        if not 0.0 <= self.random_share <= 1.0:
            raise ValueError(f"the random share lies in [0, 1], got {self.random_share}")


@dataclass(frozen=True)
class Selection:
    """Chosen rows, best first. `random` marks the blind share, `propensity` is its chance for every eligible row
    (the weight of an honest estimate of accuracy); `note` says where the rule could not be followed."""

    rows: IntArray
    random: BoolArray
    propensity: float
    note: str = ""


def select(pool: Pool, rule: Rule, count: int, eligible: IntArray, seed: int) -> Selection:
    """Choose `min(count, len(eligible))` distinct tasks among `eligible`, the same ones for the same seed.

    `eligible` are row numbers without a human label (and without a candidate set, if it is the LLM's budget), each
    text once (see `distinct`). ValueError if a row number is not in the pool.
    """
    rows = np.unique(eligible).astype(np.int64)
    if len(rows) and (rows[0] < 0 or rows[-1] >= pool.size):
        raise ValueError(f"eligible rows must lie in [0, {pool.size}), got {rows[0]} to {rows[-1]}")
    count = max(0, min(count, len(rows)))
    generator = np.random.default_rng(seed)
    blind = math.ceil(rule.random_share * count - 1e-9)
    drawn = np.sort(generator.choice(rows, blind, replace=False)) if blind else rows[:0]
    left = rows[~np.isin(rows, drawn)]
    best, note = _informed(pool, rule, count - blind, left, generator)
    chosen = np.concatenate([best, drawn])
    marks = np.arange(len(chosen)) >= len(best)
    return Selection(chosen, marks, blind / len(rows) if len(rows) else 0.0, note)


def _informed(
    pool: Pool, rule: Rule, count: int, rows: IntArray, generator: np.random.Generator
) -> tuple[IntArray, str]:
    if count == 0:
        return rows[:0], ""
    score, note = usable_score(pool, rule.score, int(generator.integers(2**31)))
    scores = score_rows(pool, score, rows)
    if len(rows) > 1 and float(np.ptp(scores)) < 1e-9 and not isinstance(score, RandomScore):
        note = f"{rule.score.name} is the same for all tasks: random order instead"
        scores = generator.random(len(rows), dtype=np.float32)
    spread = rule.spread
    if spread.uses_vectors and pool.embeddings is None:
        spread, note = NoSpread(), f"{note}; " * bool(note) + "no embeddings: no diversity"
    if note:
        log.info("acquisition_fallback", rule=rule.name, note=note)
    positions = ranking(pool, rows, scores)
    if rule.balance and pool.student is not None:
        positions = positions[balanced(predicted(pool, rows[positions]))]
    return spread.choose(pool, rows[positions], np.maximum(scores[positions], 0.0), count, generator), note


def usable_score(pool: Pool, score: Score, seed: int) -> tuple[Score, str]:
    """The score, or a random one and the reason where the pool lacks what the score looks at."""
    there = {"student": pool.student is not None, "base": pool.base is not None, "members": len(pool.members) >= 2}
    missing = [need for need in score.needs if not there[need]]
    if not missing:
        return score, ""
    return RandomScore(seed), f"{score.name} needs {' and '.join(missing)}, not there yet: random order instead"


def ranking(pool: Pool, rows: IntArray, scores: FloatArray) -> IntArray:
    """Positions from best to worst: higher score, then smaller margin of the student, then lower row number."""
    _, group, sizes = np.unique(scores, return_inverse=True, return_counts=True)
    ties = np.zeros(len(rows), np.float32)
    tied = np.flatnonzero(sizes[group] > 1)
    if pool.student is not None and len(tied):
        ties[tied] = np.concatenate([margins(pool.student(part)) for part in blocks(rows[tied])])
    positions: IntArray = np.lexsort((rows, ties, -scores)).astype(np.int64)
    return positions


def predicted(pool: Pool, rows: IntArray) -> IntArray:
    """The student's labels `(b,)`."""
    if pool.student is None:
        raise ValueError("class balance needs a student")
    student = pool.student
    labels: IntArray = np.concatenate([student(part).argmax(axis=1) for part in blocks(rows)])
    return labels


def balanced(labels: IntArray) -> IntArray:
    """Positions dealt out round by round: the best row of every label, then every second best, and so on."""
    order = np.argsort(labels, kind="stable")
    starts = np.searchsorted(labels[order], labels[order], side="left")
    rounds = np.empty(len(labels), np.int64)
    rounds[order] = np.arange(len(labels)) - starts
    positions: IntArray = np.argsort(rounds, kind="stable").astype(np.int64)
    return positions
