"""Which pairs are labelled first: acquisition rules on one pool, from a common start, at growing budgets.

A linear head on pair features stands for the student: it has no randomness of its own. Under domain shift it starts
from labels of the other domains, in domain from a hundredth of the pool. Our replication of conditional informativeness
(no full text of arXiv 2306.15766 was at hand): p is the head's answer, p0 the head's mean answer for pairs of about the
same cosine of the frozen encoder.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks.pairs.figures import figures
from benchmarks.pairs.material import Material, Rows
from benchmarks.shared.linear_student import LinearStudent, fit
from model.acquisition.base_model import CosineBase
from model.acquisition.pool import Pool, from_array
from model.acquisition.rules import rule
from model.acquisition.selection import select
from model.arrays import Embed, FloatArray, IntArray

BUDGETS = (0.01, 0.02, 0.05, 0.1, 0.2)
RULES = ("random", "margin", "base-margin", "margin-clusters", "k-means", "ci-no-diversity", "ci-up", "ci-down",
         "ci-total-variation", "ci-clusters")  # fmt: skip
FEWEST = 12


@dataclass(frozen=True)
class Ground:
    """A pool to choose from and what it is tested on; `known` is labelled already (none in domain). `embed` gives the
    student's vectors, `frozen` those of the unchanged encoder."""

    material: Material
    split: str
    pool: Rows
    test: Rows
    known: Rows
    embed: Embed
    frozen: Embed


def curves(ground: Ground, seed: int) -> Iterator[dict[str, object]]:
    """Rows of every rule at every budget, and of everything labelled."""
    seen = _Seen(ground)
    for name in RULES:
        chosen: IntArray = np.zeros(0, np.int64)
        for share in BUDGETS:
            count = max(FEWEST, round(share * len(ground.pool)))
            chosen = seen.more(name, chosen, count - len(chosen), seed)
            yield from seen.row(name, share, chosen, seed)
    yield from seen.row("everything", 1.0, np.arange(len(ground.pool)), seed)
    if len(ground.known):
        yield from seen.row("nothing", 0.0, np.zeros(0, np.int64), seed)


class _Seen:
    """Features of all rows of a ground, computed once."""

    def __init__(self, ground: Ground) -> None:
        one, self._ground = ground.material, ground
        self._pool, self._test = (one.features(rows.texts, ground.embed) for rows in (ground.pool, ground.test))
        self._known = one.features(ground.known.texts, ground.embed) if len(ground.known) else self._pool[:0]
        self._cosines = one.alike(ground.pool.texts, ground.frozen)
        self._places = one.places(ground.pool.texts, ground.frozen)
        self._last: tuple[bytes, LinearStudent] | None = None

    def _student(self, chosen: IntArray) -> LinearStudent:
        """What learns of these; the last one is kept, because it is judged, and chooses what comes next."""
        if self._last is None or self._last[0] != chosen.tobytes():
            self._last = chosen.tobytes(), self._fitted(chosen)
        return self._last[1]

    def _fitted(self, chosen: IntArray) -> LinearStudent:
        gold = np.concatenate([self._ground.known.gold, self._ground.pool.gold[chosen]])
        targets = np.eye(len(self._ground.material.space), dtype=np.float32)[gold]
        return fit(np.concatenate([self._known, self._pool[chosen]]), targets)

    def more(self, name: str, chosen: IntArray, count: int, seed: int) -> IntArray:
        """`chosen` and `count` more rows of the pool by a rule; without any student drawn at random."""
        left = np.setdiff1d(np.arange(len(self._pool)), chosen)
        if not len(chosen) and not len(self._known):
            return np.sort(np.random.default_rng(seed).choice(left, count, replace=False))
        answers = self._student(chosen)(self._pool)
        base = CosineBase.fit(self._cosines, answers)(self._cosines)
        student, which = (base, "margin") if name == "base-margin" else (answers, name)
        pool = Pool(len(answers), from_array(student), from_array(base), (), self._places)
        found = select(pool, rule(which, seed), count, left, seed * 1000 + len(chosen))
        return np.concatenate([chosen, found.rows])

    def row(self, name: str, share: float, chosen: IntArray, seed: int) -> Iterator[dict[str, object]]:
        """What a student of these labels is worth."""
        ground = self._ground
        shares: FloatArray = self._student(chosen)(self._test)
        for metric, value in figures(ground.material, ground.test, shares).items():
            yield {"dataset": ground.material.name, "split": ground.split, "task": ground.material.task, "method": name,
                   "budget": share, "seed": seed, "metric": metric, "value": value}  # fmt: skip
