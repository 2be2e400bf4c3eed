"""Which pairs are labelled first: acquisition rules on one pool, from a common start, at growing budgets.

A linear head on pair features stands for the student: it has no randomness of its own. Under domain shift it starts
from labels of the other domains, in domain from a hundredth of the pool. Our replication of conditional informativeness
(no full text of arXiv 2306.15766 was at hand): p is the head's answer, p0 the head's mean answer for pairs of about the
same cosine of the frozen encoder.

Labels are gold, or those of a teacher that is wrong at times; what was known before is gold either way.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks.pairs.figures import figures
from benchmarks.pairs.material import Material, Rows
from benchmarks.pairs.noise import wrong_at_times
from benchmarks.shared.linear_student import LinearStudent, fit
from model.acquisition.base_model import CosineBase
from model.acquisition.pool import Pool, from_array
from model.acquisition.rules import rule
from model.acquisition.selection import select
from model.arrays import Embed, FloatArray, IntArray

BUDGETS = (0.01, 0.02, 0.05, 0.1, 0.2)
RULES = ("random", "margin", "base-margin", "margin-clusters", "k-means", "ci-no-diversity", "ci-up", "ci-down",
         "ci-total-variation", "ci-clusters")  # fmt: skip
GOLD, NOISY = "gold", "noisy"
LABELS = (GOLD, NOISY)  # what the pool is labelled with
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


def curves(ground: Ground, seeds: Iterable[int]) -> Iterator[dict[str, object]]:
    """Rows of every rule at every budget, and of everything labelled, by each kind of labels."""
    seen = _Seen.of(ground)
    for seed, kind in itertools.product(seeds, LABELS):
        for row in _curves(_Learner(seen, told(ground, kind, seed)), seed):
            yield {**row, "labels": kind}


def told(ground: Ground, kind: str, seed: int) -> IntArray:
    """What the pool's labels are, once they are asked for, `(n,)`."""
    if kind == GOLD:
        return ground.pool.gold
    return wrong_at_times(ground.pool.gold, len(ground.material.space), np.random.default_rng([seed, 1]))


def _curves(learner: _Learner, seed: int) -> Iterator[dict[str, object]]:
    pool = learner.seen.ground.pool
    for name in RULES:
        chosen: IntArray = np.zeros(0, np.int64)
        for share in BUDGETS:
            count = max(FEWEST, round(share * len(pool)))
            chosen = learner.more(name, chosen, count - len(chosen), seed)
            yield from learner.row(name, share, chosen, seed)
    yield from learner.row("everything", 1.0, np.arange(len(pool)), seed)
    if len(learner.seen.known):
        yield from learner.row("nothing", 0.0, np.zeros(0, np.int64), seed)


@dataclass(frozen=True)
class _Seen:
    """A ground and, computed once, features of its rows, the cosines of its pool and by what this is compared."""

    ground: Ground
    pool: FloatArray
    test: FloatArray
    known: FloatArray
    cosines: FloatArray
    places: FloatArray

    @classmethod
    def of(cls, ground: Ground) -> _Seen:
        """What is seen of a ground."""
        one, texts = ground.material, ground.pool.texts
        pool, test = (one.features(rows.texts, ground.embed) for rows in (ground.pool, ground.test))
        known = one.features(ground.known.texts, ground.embed) if len(ground.known) else pool[:0]
        return cls(ground, pool, test, known, one.alike(texts, ground.frozen), one.places(texts, ground.frozen))


class _Learner:
    """Learns of a ground whose pool has these labels `(n,)`."""

    def __init__(self, seen: _Seen, labels: IntArray) -> None:
        self.seen, self._labels = seen, labels
        self._students: dict[bytes, LinearStudent] = {}

    def _student(self, chosen: IntArray) -> LinearStudent:
        """What learns of these; kept, because it is judged, and chooses what comes next, for other rules, too."""
        key = np.sort(chosen).tobytes()
        if key not in self._students:
            self._students[key] = self._fitted(np.sort(chosen))
        return self._students[key]

    def _fitted(self, chosen: IntArray) -> LinearStudent:
        ground = self.seen.ground
        labels = np.concatenate([ground.known.gold, self._labels[chosen]])
        targets = np.eye(len(ground.material.space), dtype=np.float32)[labels]
        return fit(np.concatenate([self.seen.known, self.seen.pool[chosen]]), targets)

    def more(self, name: str, chosen: IntArray, count: int, seed: int) -> IntArray:
        """`chosen` and `count` more rows of the pool by a rule; without any student drawn at random."""
        seen = self.seen
        left = np.setdiff1d(np.arange(len(seen.pool)), chosen)
        if not len(chosen) and not len(seen.known):
            return np.sort(np.random.default_rng(seed).choice(left, count, replace=False))
        answers = self._student(chosen)(seen.pool)
        base = CosineBase.fit(seen.cosines, answers)(seen.cosines)
        student, which = (base, "margin") if name == "base-margin" else (answers, name)
        pool = Pool(len(answers), from_array(student), from_array(base), (), seen.places)
        found = select(pool, rule(which, seed), count, left, seed * 1000 + len(chosen))
        return np.concatenate([chosen, found.rows])

    def row(self, name: str, share: float, chosen: IntArray, seed: int) -> Iterator[dict[str, object]]:
        """What a student of these labels is worth."""
        ground = self.seen.ground
        shares: FloatArray = self._student(chosen)(self.seen.test)
        for metric, value in figures(ground.material, ground.test, shares).items():
            yield {"dataset": ground.material.name, "split": ground.split, "task": ground.material.task, "method": name,
                   "budget": share, "seed": seed, "metric": metric, "value": value}  # fmt: skip
