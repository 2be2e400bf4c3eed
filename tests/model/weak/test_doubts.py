"""Labels that others doubt: margins out of fold, what the teacher's answer says, equal texts decided differently."""

from __future__ import annotations

import numpy as np
import pytest

from model.weak.doubts import by_teacher, contradictions, doubts
from model.weak.judges import Known
from tests.support.toys import Toy


def known_of(labels: np.ndarray, groups: np.ndarray | None = None) -> Known:
    return Known(np.arange(len(labels)), labels, np.arange(len(labels)) if groups is None else groups,
                 np.ones(len(labels)))  # fmt: skip


def test_planted_wrong_labels_are_doubted_most() -> None:
    toy, draw = Toy(400, 4, noise=0.6, seed=2), np.random.default_rng(0)
    wrong = draw.choice(400, 20, replace=False)
    labels = toy.labels.astype(np.int64).copy()
    labels[wrong] = (labels[wrong] + 1 + draw.integers(0, 3, 20)) % 4
    found = doubts(toy.embed(toy.texts), known_of(labels), np.full(400, -1), 4)
    assert found.margins.min() >= 0.0
    assert found.margins.max() <= 1.0
    assert np.isin(np.argsort(found.margins)[:20], wrong).mean() > 0.7
    assert (found.said != labels).all()
    assert found.accuracy > 0.7


def test_a_label_and_its_twins_take_no_part_in_what_is_said_of_it() -> None:
    """All copies of one text bear the same wrong label: only other texts may tell."""
    toy = Toy(300, 3, noise=0.5, seed=3)
    vectors = toy.embed(toy.texts).copy()
    labels, groups = toy.labels.astype(np.int64).copy(), np.arange(300)
    copies = np.flatnonzero(labels == labels[0])[:30]
    vectors[copies], groups[copies] = vectors[copies[0]], copies[0]
    labels[copies] = (labels[0] + 1) % 3
    found = doubts(vectors, known_of(labels, groups), np.full(300, -1), 3)
    assert (found.margins[copies] < 0.2).all()
    assert (found.said[copies] == toy.labels[0]).all()


def test_what_the_teacher_says_counts_as_far_as_it_tells_labels_apart() -> None:
    labels = np.repeat([0, 1, 2], 100)
    knows, blind = labels.copy(), np.zeros(300, np.int64)
    knows[0] = 1
    told = by_teacher(labels, knows, 3)
    assert told[0, 1] > 0.9
    assert told[1, 0] > 0.9
    assert by_teacher(labels, blind, 3) == pytest.approx(1 / 3, abs=0.02)
    assert by_teacher(labels, np.full(300, -1), 3) == pytest.approx(1 / 3)


def test_equal_texts_with_different_decisions_contradict_each_other() -> None:
    found = contradictions(np.array([0, 0, 0, 3, 3, 5, 6, 6]), ["a", "a", "b", "a", "b", "a", "c", "c"])
    assert [(one.row, one.said, one.by) for one in found] == [(2, "a", (0, 1)), (3, "b", (4,)), (4, "a", (3,))]
