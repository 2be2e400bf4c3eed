"""Figures of ranked documents: known values, bounds, ties, and what cannot be judged."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.ranking import Mean, expected_grades, least_relevant, ndcg, ranking, reciprocal_rank

ANSWERED = np.array([0, 3, 1, 0, 2])


def test_the_vectors_of_the_specification() -> None:
    assert ndcg(ANSWERED) == pytest.approx(0.664970, abs=1e-6)  # linear gain; 0.646993 with 2^grade - 1
    assert reciprocal_rank(ANSWERED >= 2) == 0.5
    assert least_relevant(5) == 2
    assert least_relevant(2) == 1


def test_each_query_counts_once_and_queries_without_a_relevant_document_are_left_out() -> None:
    grades = np.array([1, 0, 0, 1, 0, 0])
    queries = np.array([7, 7, 7, 3, 3, 1])
    scores = np.array([0.9, 0.5, 0.1, 0.2, 0.8, 0.4], np.float32)
    found = ranking(scores, grades, queries, 2, (scores > 0.3).astype(np.int64))
    assert found.without == 1
    assert found.mrr is not None
    assert (found.mrr.mean, found.mrr.queries) == (0.75, 2)
    assert found.precision is not None
    assert found.precision.mean == pytest.approx((0.5 + 0.0 + 0.0) / 3)
    assert found.ndcg_at_10 is not None
    assert found.ndcg_at_10.low <= found.ndcg_at_10.mean <= found.ndcg_at_10.high
    assert ranking(scores, np.zeros(6, np.int64), queries, 2).ndcg_at_10 is None


@given(st.lists(st.integers(0, 4), min_size=1, max_size=30))
def test_the_best_order_is_1_and_no_order_is_better(grades: list[int]) -> None:
    given = np.array(grades)
    best = ndcg(np.sort(given)[::-1])
    assert np.isnan(best) if not given.any() else best == pytest.approx(1.0)
    assert not ndcg(given) > 1.0 + 1e-9


def test_intervals_resample_queries_and_one_query_says_nothing() -> None:
    assert Mean.of(np.array([0.5])) == Mean(0.5, 0.0, 1.0, 1)
    wide, narrow = Mean.of(np.array([0.0, 1.0] * 5)), Mean.of(np.array([0.0, 1.0] * 500))
    assert wide is not None
    assert narrow is not None
    assert wide.high - wide.low > 5 * (narrow.high - narrow.low)


def test_expected_grades() -> None:
    assert expected_grades(np.array([[0.5, 0.0, 0.5], [0.0, 0.0, 1.0]], np.float32)).tolist() == [1.0, 2.0]
