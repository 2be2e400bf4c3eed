"""The second step: many good tasks are near-duplicates of each other, so a batch is spread over the embedding space."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from model.acquisition.clusters import kmeans, nearest, quotas
from model.acquisition.pool import Pool, blocks
from model.arrays import FloatArray, IntArray

MOST_CENTRES = 500  # tasks with a cluster each; larger batches share QUOTA_CLUSTERS
QUOTA_CLUSTERS = 100
MOST_FITTED = 20_000  # rows on which clusters are fitted
CHUNK = 2000  # rows of one facility-location problem


class Spread(Protocol):
    """Chooses `count` of the rows `order` (best first, with a weight >= 0 each) so that they differ."""

    name: str
    uses_vectors: bool

    def choose(
        self, pool: Pool, order: IntArray, weights: FloatArray, count: int, generator: np.random.Generator
    ) -> IntArray:
        """Exactly `min(count, len(order))` distinct rows of `order`."""


class NoSpread:
    """The best ones, alike or not."""

    name = "top"
    uses_vectors = False

    def choose(
        self, pool: Pool, order: IntArray, weights: FloatArray, count: int, generator: np.random.Generator
    ) -> IntArray:
        """The first `count`."""
        return order[:count]


class _AmongTheBest:
    """Looks at the `oversample * count` best tasks and their vectors."""

    uses_vectors = True

    def __init__(self, oversample: int = 4) -> None:
        if oversample < 1:
            raise ValueError(f"oversample is at least 1, got {oversample}")
        self._oversample = oversample


class KMeansSpread(_AmongTheBest):
    """The best task of each of `count` clusters among the `oversample * count` best."""

    name = "k-means"

    def choose(
        self, pool: Pool, order: IntArray, weights: FloatArray, count: int, generator: np.random.Generator
    ) -> IntArray:
        """Clusters are fitted on at most 20,000 rows; above 500 tasks, quotas over 100 clusters."""
        head = order[: self._oversample * count]
        if count <= 0 or len(head) <= count:
            return order[:count]
        centres = _centres(pool, head, np.ones(len(head), np.float32), _clusters_for(count), generator)
        owner = _owners(pool, head, centres)
        places = quotas(np.bincount(owner, minlength=len(centres)), count)
        if count <= MOST_CENTRES:
            places = np.ones(len(centres), np.int64)
        return _best_of_each(head, owner, places, count)


class WeightedClusters:
    """The tasks nearest to the centres of clusters that are weighted by the score: unsure *and* typical tasks.

    After CLUE (Prabhu et al., ICCV 2021), which was made for labels in a new domain. Looks at all eligible tasks.
    Weights are scores to the given power: the higher, the more the worst doubts draw the centres.
    """

    name = "weighted-clusters"
    uses_vectors = True

    def __init__(self, power: float = 1.0) -> None:
        if power <= 0:
            raise ValueError(f"the power of the weights is positive, got {power}")
        self._power = power

    def choose(
        self, pool: Pool, order: IntArray, weights: FloatArray, count: int, generator: np.random.Generator
    ) -> IntArray:
        """Above 500 tasks: quotas over 100 clusters by their weight, best scores first."""
        weights = weights**self._power
        if count <= 0 or len(order) <= count:
            return order[:count]
        centres = _centres(pool, order, weights, _clusters_for(count), generator)
        if count <= MOST_CENTRES:
            return _complete(_nearest_rows(pool, order, centres), order, count)
        owner = _owners(pool, order, centres)
        places = quotas(np.bincount(owner, weights, len(centres)), count)
        return _best_of_each(order, owner, places, count)


class FacilityLocation(_AmongTheBest):
    """Greedy facility location: the tasks that best cover the `oversample * count` best, weighted by the score."""

    name = "facility-location"

    def choose(
        self, pool: Pool, order: IntArray, weights: FloatArray, count: int, generator: np.random.Generator
    ) -> IntArray:
        """One problem per 2,000 candidates (dealt out like cards), so that the cost stays linear."""
        head, worth = order[: self._oversample * count], weights[: self._oversample * count]
        if count <= 0 or len(head) <= count:
            return order[:count]
        parts = -(-len(head) // CHUNK)
        places = quotas(np.bincount(np.arange(len(head)) % parts, minlength=parts), count)
        chosen = [
            head[part::parts][greedy_cover(pool.vectors(head[part::parts]), worth[part::parts], int(places[part]))]
            for part in range(parts)
        ]
        return _complete(np.concatenate(chosen), order, count)


def greedy_cover(vectors: FloatArray, weights: FloatArray, count: int) -> IntArray:
    """Positions of up to `count` vectors `(n, d)` that maximise `sum_i w_i max_j similarity(i, j)`, greedily."""
    lengths = np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    similar = np.maximum((vectors / lengths) @ (vectors / lengths).T, 0.0)
    covered = np.zeros(len(vectors), np.float32)
    chosen: list[int] = []
    for _ in range(min(count, len(vectors))):
        gains = weights @ np.maximum(similar - covered[:, None], 0.0)
        gains[chosen] = -1.0
        best = int(gains.argmax())
        chosen.append(best)
        covered = np.maximum(covered, similar[:, best])
    return np.array(chosen, dtype=np.int64)


def _clusters_for(count: int) -> int:
    return count if count <= MOST_CENTRES else QUOTA_CLUSTERS


def _centres(pool: Pool, rows: IntArray, weights: FloatArray, count: int, generator: np.random.Generator) -> FloatArray:
    if len(rows) > MOST_FITTED:
        sample = np.sort(generator.choice(len(rows), MOST_FITTED, replace=False))
        rows, weights = rows[sample], weights[sample]
    return kmeans(pool.vectors(rows), np.maximum(weights, 1e-6), count, generator)


def _owners(pool: Pool, rows: IntArray, centres: FloatArray) -> IntArray:
    return np.concatenate([nearest(pool.vectors(part), centres)[0] for part in blocks(rows)])


def _nearest_rows(pool: Pool, rows: IntArray, centres: FloatArray) -> IntArray:
    """The row nearest to each centre, each row once, in the order of the centres."""
    best = np.full(len(centres), np.inf)
    found = np.full(len(centres), -1, np.int64)
    for part in blocks(rows):
        vectors = pool.vectors(part)
        gaps = np.einsum("nd,nd->n", vectors, vectors)[:, None] - 2.0 * (vectors @ centres.T)
        place = gaps.argmin(axis=0)
        values = gaps[place, np.arange(len(centres))]
        better = values < best
        best[better], found[better] = values[better], part[place[better]]
    return np.array(list(dict.fromkeys(found.tolist())), dtype=np.int64)


def _best_of_each(order: IntArray, owner: IntArray, places: IntArray, count: int) -> IntArray:
    """The first `places[c]` rows of each cluster; free places go to the best rows left."""
    taken = np.zeros(len(places), np.int64)
    chosen = []
    for row, cluster in zip(order.tolist(), owner.tolist(), strict=True):
        if taken[cluster] < places[cluster]:
            taken[cluster] += 1
            chosen.append(row)
    return _complete(np.array(chosen, dtype=np.int64), order, count)


def _complete(chosen: IntArray, order: IntArray, count: int) -> IntArray:
    """`chosen`, cut or filled up with the best rows of `order` that are not in it."""
    left = order[~np.isin(order, chosen)]
    return np.concatenate([chosen, left])[:count]
