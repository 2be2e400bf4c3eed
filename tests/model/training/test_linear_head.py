"""A linear head is logistic regression on soft targets, at its minimum."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from model.arrays import softmax
from model.errors import TrainingStopped
from model.student.head import head_logits
from model.training.head_training import HeadLearner
from model.training.linear_head import STRENGTHS, Head, Unseen, averaged, linear_head
from model.training.options import TrainingOptions
from model.training.targets import SoftTargets

ROWS, WIDTH, LABELS = 120, 16, 3
RANDOM = np.random.default_rng(0)
VECTORS = (RANDOM.normal(size=(ROWS, WIDTH)) * 0.3 + 1.0).astype(np.float32)
WEIGHTS = RANDOM.normal(size=(WIDTH, LABELS)).astype(np.float32)
GOLD = ((VECTORS - 1.0) @ WEIGHTS).argmax(1)


def targets(shares: np.ndarray, weight: np.ndarray | None = None) -> SoftTargets:
    return SoftTargets(torch.from_numpy(shares), torch.from_numpy(np.ones(ROWS) if weight is None else weight))


@pytest.mark.parametrize("strength", [0.3, 3.0])
def test_it_is_logistic_regression_on_vectors_of_length_one(strength: float) -> None:
    from sklearn.linear_model import LogisticRegression  # takes seconds, in each process that collects tests

    head = linear_head(VECTORS, targets(np.eye(LABELS)[GOLD]), strength)
    seen = (VECTORS - VECTORS.mean(0)) * head["scale"] / np.sqrt(WIDTH)
    theirs = LogisticRegression(C=strength, tol=1e-8, max_iter=1000).fit(seen, GOLD).predict_proba(seen)
    assert softmax(head_logits(head, VECTORS)) == pytest.approx(theirs, abs=2e-3)


def test_soft_targets_count_as_their_mass_and_rows_as_their_weight() -> None:
    soft = RANDOM.dirichlet(np.ones(LABELS), ROWS)
    head = linear_head(VECTORS, targets(soft))
    said = softmax(head_logits(head, VECTORS))
    assert said.mean(0) == pytest.approx(soft.mean(0), abs=1e-3)  # the slope of the free term is zero
    weight = (np.arange(ROWS) < 60).astype(np.float64)
    half = softmax(head_logits(linear_head(VECTORS, targets(soft, weight)), VECTORS))
    assert half[:60].mean(0) == pytest.approx(soft[:60].mean(0), abs=1e-3)
    moved = linear_head(VECTORS * 7.0 + 3.0, targets(soft))
    assert softmax(head_logits(moved, VECTORS * 7.0 + 3.0)) == pytest.approx(said, abs=2e-3)


def test_it_stops_when_told() -> None:
    with pytest.raises(TrainingStopped):
        linear_head(VECTORS, targets(np.eye(LABELS)[GOLD]), stop=lambda: True)


def test_the_strength_is_the_one_that_answers_unseen_rows_best() -> None:
    fold_of = np.arange(ROWS) % 3
    clear = Unseen(VECTORS, targets(np.eye(LABELS)[GOLD]), fold_of)
    noise = Unseen(VECTORS, targets(np.eye(LABELS)[RANDOM.integers(0, LABELS, ROWS)]), fold_of)
    assert noise.strength() == STRENGTHS[0] < STRENGTHS[3] < clear.strength()
    assert Unseen(VECTORS, targets(np.eye(LABELS)[GOLD]), np.zeros(ROWS, np.int64)).strength() == STRENGTHS[3]


def test_networks_join_where_unseen_rows_are_answered_better_and_nowhere_else() -> None:
    told, fold_of = targets(np.eye(LABELS)[GOLD]), np.arange(ROWS) % 3
    fold_of[:30] = -1  # always learned, never judged

    def poor(known: np.ndarray, told: SoftTargets) -> Head:
        assert len(known) == len(told.targets) == 90
        return {**linear_head(known, told), "out_bias": np.array([20.0, 0.0, 0.0], np.float32)}

    def good(known: np.ndarray, told: SoftTargets) -> Head:
        return {**poor(known, told), "mean": np.ones(WIDTH, np.float32), "out": 50 * WEIGHTS, "out_bias": np.zeros(3)}

    assert not Unseen(VECTORS, told, fold_of).joined_by(poor, 1.0)
    assert not Unseen(VECTORS, told, np.zeros(ROWS, np.int64)).joined_by(good, 1.0)
    assert Unseen(VECTORS, told, fold_of).joined_by(good, 1.0)
    assert Unseen(VECTORS, told, fold_of).joins(poor, 1.0)  # and the linear head joins networks that answer worse
    assert not Unseen(VECTORS, told, fold_of).joins(good, 1.0)
    assert not Unseen(VECTORS, told, np.zeros(ROWS, np.int64)).joins(poor, 1.0)


@pytest.mark.parametrize("hidden", [0, 8])
def test_several_heads_become_one_with_their_mean_logit(hidden: int) -> None:
    learner = HeadLearner(VECTORS, LABELS, TrainingOptions(hidden=hidden), 1, (1, 2, 3))
    heads = learner.weights()
    mean = np.mean([head_logits(head, VECTORS) for head in heads], axis=0)
    assert head_logits(averaged(heads), VECTORS) == pytest.approx(mean, abs=1e-5)
