"""Scores against hand-computed vectors and their mathematical properties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.acquisition.informativeness import Flip, JensenShannon, LabelDifference, Rise, TotalVariation
from model.acquisition.pool import Pool, from_array
from model.acquisition.score import Score, score_rows
from model.acquisition.uncertainty import (
    BaseEntropy,
    ConformalSetSize,
    Entropy,
    LeastConfidence,
    Margin,
    RandomScore,
    VoteEntropy,
    margins,
)
from model.arrays import FloatArray
from tests.support.vectors import distributions, toy_pool

STUDENT = np.array([[0.9, 0.1, 0], [0.6, 0.3, 0.1], [0.05, 0.9, 0.05], [1 / 3, 1 / 3, 1 / 3]], np.float32)
BASE = np.array([[0.9, 0.1, 0], [0.2, 0.7, 0.1], [0.5, 0.3, 0.2], [1, 0, 0]], np.float32)
EVERY = np.arange(4)


def pool_of(student: FloatArray, base: FloatArray) -> Pool:
    return Pool(len(student), from_array(student), from_array(base))


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        (TotalVariation(), [0, 0.4, 0.6, 0.666667]),
        (JensenShannon(), [0, 0.134843, 0.302130, 0.459148]),
        (LabelDifference(), [0, 0.4, 0.6, 0.666667]),
        (Rise(), [0, -0.2, 0.15, 0.5]),
        (Rise(-1.0), [0, 0.2, -0.15, -0.5]),
        (Flip(), [0, 1, 1, 0]),
        (Margin(), [0.2, 0.7, 0.15, 1]),
        (Entropy(), [0.468996, 1.295462, 0.568996, 1.584963]),
        (LeastConfidence(), [0.1, 0.4, 0.1, 0.666667]),
        (BaseEntropy(), [0.468996, 1.156780, 1.485475, 0]),
    ],
)
def test_hand_computed_scores(score: Score, expected: list[float]) -> None:
    found = score_rows(pool_of(STUDENT, BASE), score, EVERY)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=2e-6)


@given(distributions(6, 4), distributions(6, 4))
def test_distances_stay_in_bounds_are_symmetric_and_ordered(student: FloatArray, base: FloatArray) -> None:
    there, back = pool_of(student, base), pool_of(base, student)
    rows = np.arange(6)
    variation, divergence = (score_rows(there, score, rows) for score in (TotalVariation(), JensenShannon()))
    assert (variation >= 0).all()
    assert (variation <= 1).all()
    assert (divergence >= 0).all()
    assert (divergence <= variation + 1e-6).all()
    np.testing.assert_allclose(variation, score_rows(back, TotalVariation(), rows), atol=1e-6)
    np.testing.assert_allclose(divergence, score_rows(back, JensenShannon(), rows), atol=1e-6)
    assert (score_rows(there, LabelDifference(), rows) <= variation + 1e-6).all()
    flipped = score_rows(there, Flip(), rows) == 1
    assert (variation[flipped] >= margins(student)[flipped] / 2 - 1e-6).all()


@given(distributions(6, 4))
def test_distances_are_zero_for_equal_answers(answers: FloatArray) -> None:
    pool = pool_of(answers, answers.copy())
    for score in (TotalVariation(), JensenShannon(), LabelDifference(), Flip()):
        assert (score_rows(pool, score, np.arange(6)) == 0).all()


@settings(max_examples=30)
@given(st.permutations(range(4)), st.integers(0, 1000))
def test_renaming_labels_changes_no_score(order: list[int], seed: int) -> None:
    random = np.random.default_rng(seed)
    student, base, other = (random.dirichlet(np.ones(4), 20).astype(np.float32) for _ in range(3))
    members = tuple(from_array(answers) for answers in (student, base, other))
    renamed = tuple(from_array(answers[:, order]) for answers in (student, base, other))
    before = Pool(20, members[0], members[1], members)
    after = Pool(20, renamed[0], renamed[1], renamed)
    for score in (TotalVariation(), JensenShannon(), LabelDifference(), Flip(), Margin(), Entropy(), VoteEntropy()):
        rows = np.arange(20)
        np.testing.assert_allclose(score_rows(before, score, rows), score_rows(after, score, rows), atol=1e-5)
    sizes = ConformalSetSize(0.2)
    np.testing.assert_allclose(score_rows(before, sizes, rows), score_rows(after, sizes, rows), atol=1e-5)


def test_vote_entropy_counts_votes_before_it_looks_at_margins() -> None:
    def sure(label: int, amount: float = 0.9) -> FloatArray:
        return np.array([[amount if place == label else (1 - amount) / 2 for place in range(3)]], np.float32)

    agreed = tuple(from_array(sure(0, 0.4)) for _ in range(3))
    split = (from_array(sure(0)), from_array(sure(0)), from_array(sure(1)))
    apart = tuple(from_array(sure(label)) for label in range(3))
    values = [float(VoteEntropy().score(Pool(1, members=votes), np.arange(1))[0]) for votes in (agreed, split, apart)]
    np.testing.assert_allclose(values, [0, 0.918296, 1.584963], atol=2e-3)


def test_conformal_sizes_never_mix_with_their_tie_break() -> None:
    pool = pool_of(STUDENT, BASE)
    assert np.floor(ConformalSetSize(0.2).score(pool, EVERY)).tolist() == [1, 2, 1, 3]
    with pytest.raises(ValueError, match="probability"):
        ConformalSetSize(1.5)


def test_random_score_depends_on_row_and_seed_alone() -> None:
    pool = toy_pool()
    whole = score_rows(pool, RandomScore(3), np.arange(200))
    np.testing.assert_array_equal(score_rows(pool, RandomScore(3), np.arange(50, 60)), whole[50:60])
    assert not np.array_equal(score_rows(pool, RandomScore(4), np.arange(200)), whole)


def test_a_score_says_what_the_pool_lacks() -> None:
    bare = Pool(3)
    for score, word in (
        (Margin(), "student"),
        (BaseEntropy(), "base"),
        (VoteEntropy(), "members"),
        (Flip(), "student"),
    ):
        with pytest.raises(ValueError, match=word):
            score.score(bare, np.arange(3))
    assert len(score_rows(bare, RandomScore(0), np.zeros(0, np.int64))) == 0
