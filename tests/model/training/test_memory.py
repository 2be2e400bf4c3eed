"""A linear head remembers what was believed of its own texts, and answers others as if it did not."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from model.arrays import softmax
from model.student.head import head_logits
from model.training.linear_head import linear_head
from model.training.memory import before_key, can_remember, remembering
from model.training.targets import OUTSIDE, SoftTargets

ROWS, WIDTH, LABELS = 90, 24, 4
RANDOM = np.random.default_rng(3)


def unit(rows: int) -> np.ndarray:
    vectors = RANDOM.normal(size=(rows, WIDTH))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16).astype(np.float32)


VECTORS, OTHERS = unit(ROWS), unit(300)
SHARES = RANDOM.dirichlet(np.full(LABELS, 0.3), ROWS)


def targets(shares: np.ndarray) -> SoftTargets:
    return SoftTargets(torch.from_numpy(shares), torch.ones(len(shares)))


def test_its_own_texts_have_what_was_believed_and_others_the_linear_answer() -> None:
    linear = linear_head(VECTORS, targets(SHARES), 1.0)
    head = remembering(linear, VECTORS, targets(SHARES))
    told = (1.0 - OUTSIDE) * SHARES + OUTSIDE / LABELS
    assert softmax(head_logits(head, VECTORS)) == pytest.approx(told, abs=1e-3)
    assert (softmax(head_logits(linear, VECTORS)).argmax(1) != SHARES.argmax(1)).mean() > 0.2
    assert softmax(head_logits(head, OTHERS)) == pytest.approx(softmax(head_logits(linear, OTHERS)), abs=1e-4)


def test_texts_that_are_alike_share_what_was_believed_of_them() -> None:
    again = np.concatenate([VECTORS, VECTORS[:1]])
    believed = np.concatenate([SHARES, SHARES[:1]])
    believed[0], believed[-1] = (0.7, 0.1, 0.1, 0.1), (0.1, 0.1, 0.1, 0.7)
    head = remembering(linear_head(again, targets(believed), 1.0), again, targets(believed))
    first, last = softmax(head_logits(head, again))[[0, -1]]
    assert first == pytest.approx(last, abs=1e-4)
    assert first[0] == pytest.approx(first[3], abs=0.01)
    assert first[0] > 2 * first[1]


def test_tasks_that_features_cannot_tell_apart_are_remembered_by_their_keys() -> None:
    features = 5.0 * RANDOM.normal(size=(ROWS, 3)).astype(np.float32)
    features[1] = features[0]
    longest = float(np.linalg.norm(features, axis=1).max())
    linear = linear_head(features, targets(SHARES), 1.0)
    head = remembering(linear, features, targets(SHARES), VECTORS, longest)
    told = (1.0 - OUTSIDE) * SHARES + OUTSIDE / LABELS
    assert softmax(head_logits(head, np.hstack([features, VECTORS]))) == pytest.approx(told, abs=1e-3)
    others = softmax(head_logits(linear, features))
    assert softmax(head_logits(head, np.hstack([features, OTHERS[:ROWS]]))) == pytest.approx(others, abs=1e-4)
    widened = before_key(linear, VECTORS)
    assert softmax(head_logits(widened, np.hstack([features, VECTORS]))) == pytest.approx(others, abs=1e-6)


def test_only_vectors_of_length_one_can_be_told_apart() -> None:
    assert can_remember(VECTORS)
    assert not can_remember(3.0 * VECTORS)
    assert not can_remember(np.concatenate([VECTORS, np.zeros((1, WIDTH), np.float32)]))
