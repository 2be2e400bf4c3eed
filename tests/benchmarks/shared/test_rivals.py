"""The rivals of the quality benchmark."""

from __future__ import annotations

import random

import numpy as np

from benchmarks.shared.rivals import STRENGTHS, Logistic, commonest, dawid_skene
from benchmarks.shared.setfit import SetFit, drawn_pairs
from model.labels import LabelSpace


def test_the_strength_is_chosen_out_of_fold() -> None:
    random = np.random.default_rng(0)
    labels = random.integers(3, size=300)
    noise = random.normal(size=(300, 60)).astype(np.float32)
    clear = noise + 6 * np.eye(3, 60, dtype=np.float32)[labels]
    space = LabelSpace.of(["a", "b", "c"])
    assert Logistic(noise, labels, space, 0).strength == STRENGTHS[0]
    fitted = Logistic(clear, labels, space, 0)
    assert fitted.strength > STRENGTHS[0]
    assert (fitted.probabilities(clear).argmax(1) == labels).mean() > 0.95


def test_labels_that_nobody_gave_have_no_share_and_one_label_alone_is_answered() -> None:
    vectors = np.random.default_rng(0).normal(size=(12, 4)).astype(np.float32)
    space = LabelSpace.of(["a", "b", "c", "d"])
    found = Logistic(vectors, np.array([1, 3] * 6), space, 0).probabilities(vectors)
    assert (found[:, [0, 2]] == 0).all()
    assert (Logistic(vectors, np.full(12, 2), space, 0).probabilities(vectors).argmax(1) == 2).all()
    many = np.arange(4).repeat(2)  # as many classes as half of the rows, and more
    assert Logistic(vectors[:8], np.append(many[:7], 0), space, 0).probabilities(vectors).shape == (12, 4)
    assert commonest(np.array([2, 2, 0])) == 2


def test_dawid_skene_trusts_who_is_right_more_often() -> None:
    random = np.random.default_rng(0)
    truth = random.integers(3, size=400)

    def voter(right: float) -> np.ndarray:
        return np.where(random.random(400) < right, truth, random.integers(3, size=400))

    votes = np.stack([voter(0.9), voter(0.9), *(voter(0.1) for _ in range(4))], axis=1)
    votes[::7, 0] = -1
    majority = np.array([commonest(row[row >= 0]) for row in votes])
    found = dawid_skene(votes.tolist(), 3)
    np.testing.assert_allclose(found.sum(1), 1, atol=1e-5)
    assert (found.argmax(1) == truth).mean() > (majority == truth).mean() + 0.1


def test_setfit_tunes_an_encoder_to_labels_and_pairs_texts_as_published() -> None:
    labels = [0, 0, 1, 1, 1, 2]
    pairs = drawn_pairs(labels, random.Random(0), 20)
    assert len(pairs) == 2 * 20 * len(labels)
    assert all((labels[one] == labels[other]) == bool(wanted) for one, other, wanted in pairs)
    texts = ["refund my money", "the parcel is late", "the price is wrong", "no courier came"]
    space, given = LabelSpace.of(["money", "parcel", "other"]), np.array([0, 1, 0, 1])
    before, after = (SetFit(texts, given, space, "default", 0, rate).probabilities(texts) for rate in (0.0, 5e-5))
    assert (after.argmax(1) == given).all()
    assert (after[:, 2] == 0).all()
    own = np.arange(4), given
    assert (after[own] > before[own]).all()
    assert (SetFit(texts, np.ones(4, int), space, "default", 0).probabilities(texts).argmax(1) == 1).all()
