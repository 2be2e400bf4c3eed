"""Calibrated weighted votes and the value of one more review."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.arrays import FloatArray, IntArray
from model.committee.pooling import Confusion, Pooling, expected_gain, member_evidence
from model.errors import NotEnoughDataError

LABELS = 4


def member(gold: IntArray, accuracy: float, seed: int) -> FloatArray:
    """Probabilities of a member that is right that often and claims about as much."""
    random = np.random.default_rng(seed)
    wrong = (gold + random.integers(1, LABELS, len(gold))) % LABELS
    label = np.where(random.random(len(gold)) < accuracy, gold, wrong)
    found = np.full((len(gold), LABELS), (1 - accuracy) / (LABELS - 1), np.float32)
    found[np.arange(len(gold)), label] = accuracy
    return found


def truth(rows: int = 600, seed: int = 0) -> IntArray:
    return np.random.default_rng(seed).integers(0, LABELS, rows)


def test_the_pool_is_better_than_its_best_member_and_ignores_noise() -> None:
    gold = truth()
    parts = [member_evidence(member(gold, accuracy, seed)) for seed, accuracy in enumerate((0.7, 0.65, 0.6, 0.26))]
    fitted = Pooling.fit([part[:200] for part in parts], gold[:200])
    right = (fitted.posterior([part[200:] for part in parts]).argmax(axis=1) == gold[200:]).mean()
    best = (parts[0][200:].argmax(axis=1) == gold[200:]).mean()
    assert right > best
    assert fitted.weights[3] < fitted.weights[0]


def test_an_overconfident_wrong_member_is_outvoted_after_the_fit() -> None:
    gold = truth()
    liar = np.full((600, LABELS), 0.001, np.float32)
    liar[np.arange(600), truth(seed=9)] = 0.997
    parts = [member_evidence(part) for part in (member(gold, 0.7, 1), liar)]
    fitted = Pooling.fit(parts, gold)
    assert (fitted.posterior(parts).argmax(axis=1) == gold).mean() > 0.65
    assert (Pooling.equal(2).posterior(parts).argmax(axis=1) == gold).mean() < 0.5


def test_confusion_turns_answers_into_evidence() -> None:
    gold = np.repeat(np.arange(3), 50)
    answers = gold.copy()
    answers[:25] = 1  # label 0 is called 1 half of the time
    answers[149] = -1
    found = Confusion.fit(answers, gold, 3)
    np.testing.assert_allclose(found.matrix.sum(axis=1), 1, atol=1e-6)
    evidence = found.evidence(np.array([1, 0, -1]))
    assert evidence.shape == (3, 3)
    assert evidence[0].argmax() == 1
    assert evidence[0, 0] > evidence[0, 2]
    assert np.isfinite(evidence).all()


def test_abstaining_members_change_nothing() -> None:
    gold = truth(50)
    silent = np.zeros((50, LABELS), np.float32)
    parts = [member_evidence(member(gold, 0.7, 1)), member_evidence(silent)]
    both = Pooling(np.array([1, 1], np.float32)).posterior(parts)
    np.testing.assert_allclose(both, Pooling(np.array([1], np.float32)).posterior(parts[:1]), atol=1e-6)


def test_too_few_labels_or_sources_are_refused() -> None:
    with pytest.raises(NotEnoughDataError, match="20"):
        Pooling.fit([np.zeros((3, 2), np.float32)], np.zeros(3, np.int64))
    with pytest.raises(ValueError, match="sources"):
        Pooling.equal(2).posterior([np.zeros((3, 2), np.float32)])


def test_a_review_is_worth_most_where_the_committee_is_unsure_and_the_teacher_good() -> None:
    gold = truth()
    good = Confusion.fit(gold, gold, LABELS)
    useless = Confusion(np.full((LABELS, LABELS + 1), 1 / (LABELS + 1), np.float32))
    posterior = np.array([[0.97, 0.01, 0.01, 0.01], [0.5, 0.5, 0, 0], [0.25, 0.25, 0.25, 0.25]], np.float32)
    gains = expected_gain(posterior, good)
    assert gains[0] < gains[1] < gains[2]
    np.testing.assert_allclose(expected_gain(posterior, useless), 0, atol=1e-6)


@settings(max_examples=60)
@given(st.integers(0, 10_000), st.floats(0.0, 2.0))
def test_expected_gain_lies_between_nothing_and_certainty(seed: int, weight: float) -> None:
    random = np.random.default_rng(seed)
    posterior = random.dirichlet(np.ones(LABELS), 10).astype(np.float32)
    confusion = Confusion(random.dirichlet(np.ones(LABELS + 1), LABELS).astype(np.float32))
    gains = expected_gain(posterior, confusion, weight)
    assert (gains >= 0).all()
    assert (gains <= 1 - posterior.max(axis=1) + 1e-5).all()
