"""How well a score ranks the documents of each query: nDCG, MRR and precision, with intervals that resample queries.

nDCG has linear gain, as common retrieval tools use it (Jarvelin and Kekalainen, 2002; not 2^grade - 1): the sum over
the first k documents of grade / log2(rank + 1), over that of the best order. Queries without a relevant document are
left out and counted. Documents of equal scores stand in the order in which they are given.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TypeAlias

import numpy as np

from model.arrays import BoolArray, Doubles, FloatArray, IntArray
from model.pair_views import PairView

DEPTH = 10  # documents of a query that people look at
RESAMPLED = 1_000
MIDDLE = 0.95  # share of the resampled means that an interval holds
Measure: TypeAlias = Callable[[IntArray, BoolArray], float]


@dataclass(frozen=True)
class Mean:
    """A mean over queries, between `low` and `high` in 95 of 100 samples of queries; `queries` that it is of."""

    mean: float
    low: float
    high: float
    queries: int

    @classmethod
    def of(cls, values: Doubles, seed: int = 0) -> Mean | None:
        """None without a value; of one the interval is all that can be."""
        found = values[np.isfinite(values)]
        if not len(found):
            return None
        draws = np.random.default_rng(seed).integers(len(found), size=(RESAMPLED, len(found)))
        edge = (1.0 - MIDDLE) / 2
        low, high = np.quantile(found[draws].mean(1), [edge, 1.0 - edge]) if len(found) > 1 else (0.0, 1.0)
        return cls(float(found.mean()), float(low), float(high), len(found))


@dataclass(frozen=True)
class Ranking:
    """Means over queries; `without` are queries that have no relevant document, and are left out of nDCG and MRR."""

    ndcg_at_10: Mean | None
    mrr: Mean | None
    precision: Mean | None
    without: int

    def to_json(self) -> dict[str, object]:
        """A plain object."""
        return asdict(self)


def ndcg(grades: IntArray, depth: int = DEPTH) -> float:
    """Of the grades `(n,)` of a query's documents in the order that is judged; NaN if all are 0."""
    discounts = 1.0 / np.log2(np.arange(2, min(depth, len(grades)) + 2))
    best = float((np.sort(grades)[::-1][:depth] * discounts).sum())
    return float((grades[:depth] * discounts).sum()) / best if best > 0 else float("nan")


def reciprocal_rank(relevant: BoolArray) -> float:
    """1 / rank of the first relevant one of a query's documents `(n,)` in order; NaN if none is."""
    return 1.0 / (1.0 + int(relevant.argmax())) if relevant.any() else float("nan")


def least_relevant(grades: int) -> int:
    """From which of so many grades (0, 1, ...) on a document counts as relevant: the upper half of the scale."""
    return grades // 2


def expected_grades(shares: FloatArray) -> FloatArray:
    """The expected grade `(n,)` of probabilities `(n, K)` whose columns are grades in order."""
    expected: FloatArray = shares @ np.arange(shares.shape[1], dtype=np.float32)
    return expected


def blended(view: PairView, alike: FloatArray, shares: FloatArray) -> FloatArray:
    """What ranks documents `(n,)`: their likeness `(n,)` to the query plus the student's expected grade, of its
    probabilities `(n, K)`, in [0, 1] and by the view's weight."""
    expected = expected_grades(shares[:, ::-1] if view.falling else shares) / max(1, shares.shape[1] - 1)
    scores: FloatArray = (alike + np.float32(view.weight) * expected).astype(np.float32)
    return scores


def relevances(view: PairView, alike: FloatArray, shares: FloatArray) -> FloatArray:
    """The same in [0, 1]."""
    scores: FloatArray = np.clip(
        (1 + blended(view, alike, shares)) / np.float32(2 + view.words + view.weight), 0.0, 1.0
    )
    return scores


def per_query(values: FloatArray, grades: IntArray, queries: IntArray, measure: Measure, least: int) -> Doubles:
    """A measure of each query: of its grades in falling order of `values` `(n,)`, and of which are relevant."""
    found = []
    for query in np.unique(queries):
        rows = np.flatnonzero(queries == query)
        ordered = grades[rows[np.argsort(-values[rows], kind="stable")]]
        found.append(measure(ordered, ordered >= least))
    return np.array(found, np.float64)


def ranking(
    scores: FloatArray, grades: IntArray, queries: IntArray, scale: int, said: IntArray | None = None
) -> Ranking:
    """Of n documents: what ranks them, their true grades (0 the worst of `scale`), the numbers of their queries, and
    the grades that were answered: precision is the share of truly relevant ones among those answered as relevant."""
    least = least_relevant(scale)
    gains = per_query(scores, grades, queries, lambda ordered, _: ndcg(ordered), least)
    ranks = per_query(scores, grades, queries, lambda _, relevant: reciprocal_rank(relevant), least)
    precise: Doubles = np.zeros(0)
    if said is not None:
        chosen = said >= least
        precise = np.array([
            float((grades[mine] >= least).mean())
            for query in np.unique(queries[chosen])
            if len(mine := np.flatnonzero(chosen & (queries == query)))
        ])  # fmt: skip
    return Ranking(Mean.of(gains), Mean.of(ranks), Mean.of(precise), int(np.isnan(gains).sum()))
