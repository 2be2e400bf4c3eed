"""Clusters and cover: what a spread batch looks like."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.acquisition.clusters import kmeans, nearest, quotas
from model.acquisition.pool import Pool
from model.acquisition.spread import FacilityLocation, KMeansSpread, NoSpread, Spread, WeightedClusters, greedy_cover
from model.arrays import FloatArray


def groups(sizes: list[int], seed: int = 0) -> FloatArray:
    random = np.random.default_rng(seed)
    centres = 10 * np.eye(len(sizes), 6, dtype=np.float32)
    noise = 0.1 * random.normal(size=(sum(sizes), 6))
    return (np.repeat(centres, sizes, axis=0) + noise).astype(np.float32)


@pytest.mark.parametrize("spread", [KMeansSpread(100), FacilityLocation(100), WeightedClusters()])
def test_one_task_of_every_group_although_one_group_scores_best(spread: Spread) -> None:
    vectors = groups([40, 10, 10, 10])
    weights = np.linspace(1.0, 0.5, 70).astype(np.float32)
    chosen = spread.choose(Pool(70, embeddings=vectors), np.arange(70), weights, 4, np.random.default_rng(0))
    owner = np.repeat(np.arange(4), [40, 10, 10, 10])
    assert sorted(owner[chosen].tolist()) == [0, 1, 2, 3]
    assert NoSpread().choose(Pool(70), np.arange(70), weights, 4, np.random.default_rng(0)).tolist() == [0, 1, 2, 3]


def test_k_means_takes_the_best_of_each_cluster() -> None:
    vectors = groups([5, 5, 5])
    order = np.array([7, 12, 2, 0, 1, 3, 4, 5, 6, 8, 9, 10, 11, 13, 14])
    chosen = KMeansSpread(10).choose(
        Pool(15, embeddings=vectors), order, np.ones(15, np.float32), 3, np.random.default_rng(0)
    )
    assert sorted(chosen.tolist()) == [2, 7, 12]


def test_weighted_clusters_follow_the_weight() -> None:
    vectors = groups([50, 50])
    weights = np.repeat([1.0, 0.0], 50).astype(np.float32)
    chosen = WeightedClusters().choose(
        Pool(100, embeddings=vectors), np.arange(100), weights, 10, np.random.default_rng(0)
    )
    assert (chosen < 50).sum() >= 9


@pytest.mark.parametrize("spread", [KMeansSpread(), FacilityLocation(), WeightedClusters()])
@pytest.mark.parametrize("count", [0, 1, 7, 600, 900])
def test_large_batches_and_equal_vectors_keep_the_number(spread: Spread, count: int) -> None:
    vectors = np.ones((900, 3), np.float32)
    chosen = spread.choose(
        Pool(900, embeddings=vectors), np.arange(900), np.ones(900, np.float32), count, np.random.default_rng(0)
    )
    assert len(set(chosen.tolist())) == count


def test_k_means_finds_groups_and_is_reproducible() -> None:
    vectors = groups([30, 30, 30])
    first = kmeans(vectors, np.ones(90, np.float32), 3, np.random.default_rng(1))
    np.testing.assert_array_equal(first, kmeans(vectors, np.ones(90, np.float32), 3, np.random.default_rng(1)))
    owner, distance = nearest(vectors, first)
    assert np.bincount(owner).tolist() == [30, 30, 30]
    assert float(distance.max()) < 1.0


def test_fewer_different_vectors_give_fewer_centres() -> None:
    assert len(kmeans(np.repeat(np.eye(2, dtype=np.float32), 5, axis=0), np.ones(10), 6, np.random.default_rng(0))) == 2


@settings(max_examples=50)
@given(st.lists(st.integers(0, 50), min_size=1, max_size=8).filter(any), st.integers(0, 40))
def test_quotas_are_complete_and_proportional(sizes: list[int], count: int) -> None:
    places = quotas(sizes, count)
    assert int(places.sum()) == count
    exact = np.array(sizes) / sum(sizes) * count
    assert (np.abs(places - exact) <= 1 + 1e-9).all()


def test_greedy_cover_takes_the_centre_of_mass_first() -> None:
    vectors = np.array([[1, 0, 0], [0.9, 0.1, 0], [0.9, -0.1, 0], [0, 0, 1]], np.float32)
    assert greedy_cover(vectors, np.ones(4, np.float32), 2).tolist() == [0, 3]
    assert len(greedy_cover(vectors, np.ones(4, np.float32), 9)) == 4


@pytest.mark.parametrize("kind", [KMeansSpread, FacilityLocation])
def test_an_oversample_below_one_is_refused(kind: type[KMeansSpread] | type[FacilityLocation]) -> None:
    with pytest.raises(ValueError, match="oversample"):
        kind(0)


def test_the_power_draws_centres_to_the_worst_doubts() -> None:
    vectors = np.array([[0.0], [1.0], [2.0], [10.0]], np.float32)
    pool, order = Pool(4, embeddings=vectors), np.array([3, 2, 1, 0])
    weights = np.array([1.0, 0.9, 0.9, 0.9], np.float32)
    mild = WeightedClusters(1.0).choose(pool, order, weights, 1, np.random.default_rng(0))
    harsh = WeightedClusters(60.0).choose(pool, order, weights, 1, np.random.default_rng(0))
    assert (mild.tolist(), harsh.tolist()) == ([2], [3])


def test_a_power_must_be_positive() -> None:
    with pytest.raises(ValueError, match="positive"):
        WeightedClusters(0.0)
