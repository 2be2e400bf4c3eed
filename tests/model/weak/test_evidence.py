"""What each piece of evidence counts is learned from people's answers, and left alone where they do not tell."""

from __future__ import annotations

import numpy as np

from model.decoding import micro_f1
from model.weak.evidence import PIECES, START, fitted, folds_of, weighed
from model.weak.label_states import logit, sigmoid


def world(rows: int, labels: int, doubled: float) -> tuple[np.ndarray, np.ndarray]:
    """Answers drawn with the odds rate + similar + teacher; the teacher's are told `doubled` times as strong."""
    random = np.random.default_rng(4)
    similar, teacher = random.normal(size=(2, rows, labels))
    rate = np.full((rows, labels), float(logit(np.array(0.15))))
    truth = random.random((rows, labels)) < sigmoid(rate + similar + teacher)
    return np.stack([rate, similar, doubled * teacher, random.normal(size=(rows, labels))], 2), truth


def test_a_teacher_who_is_surer_than_right_counts_less() -> None:
    pieces, truth = world(300, 10, 3.0)
    found = weighed(pieces, truth, folds_of(300))
    wanted = np.array([1.0, 1.0, 1 / 3, 0.0])
    assert np.abs(found.weights - wanted).max() < 0.15
    assert list(found.to_json()) == list(PIECES)
    assert micro_f1(sigmoid(pieces @ found.weights) >= found.limits, truth) > micro_f1(
        sigmoid(pieces @ START) > 0.5, truth
    )


def test_evidence_that_is_right_stays_as_it_is_and_few_answers_choose_no_limit() -> None:
    pieces, truth = world(25, 6, 1.0)
    found = weighed(pieces, truth, folds_of(25))
    assert (found.weights == START).all()
    assert (found.limits == 0.5).all()
    assert np.abs(fitted(pieces, truth.astype(np.float64)) - START).max() < 0.3  # a ridge holds it there


def test_limits_are_lower_where_odds_that_are_right_tick_too_little() -> None:
    pieces, truth = world(400, 8, 1.0)
    found = weighed(pieces, truth, folds_of(400))
    assert found.limits.max() < 0.45
