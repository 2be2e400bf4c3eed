"""Thresholds decide which of several labels are ticked; one label is the likeliest."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.decoding import (
    NEVER,
    as_many,
    best_common,
    by_people,
    closest,
    expected_f1,
    expected_right,
    micro_f1,
    ticked,
)
from model.groups import Group, When
from model.labels import Label, LabelSpace

NAMES = tuple(Label(name) for name in "abc")
ONE, NONE, SOME = LabelSpace(NAMES), LabelSpace(NAMES, "", "several", 0), LabelSpace(NAMES, "", "several", 1)
SHARES = np.array([[0.9, 0.3, 0.1], [0.2, 0.1, 0.3]], np.float32)


def test_one_label_is_the_likeliest_and_several_are_those_from_their_threshold_on() -> None:
    limits = np.array([0.5, 0.3, 0.4], np.float32)
    assert ticked(ONE, SHARES, None).tolist() == [[True, False, False], [False, False, True]]
    assert ticked(NONE, SHARES, limits).tolist() == [[True, True, False], [False, False, False]]
    assert ticked(SOME, SHARES, limits)[1].tolist() == [False, False, True]  # nearest to its threshold


def test_the_expected_f1_of_an_answer() -> None:
    answers = np.array([[True, False, False], [False, False, False]])
    found = expected_f1(SHARES, answers)
    assert found.tolist() == pytest.approx([2 * 0.9 / (1 + 1.3), 0.8 * 0.9 * 0.7], abs=1e-6)


def test_the_least_decided_label_is_a_choice_of_two_that_is_even_at_its_threshold() -> None:
    found = closest(NONE, SHARES, np.array([0.5, 0.3, 0.4], np.float32))
    assert found[0].tolist() == pytest.approx([0.5, 0.5], abs=1e-5)
    assert found.sum(1).tolist() == pytest.approx([1.0, 1.0])


def test_every_question_is_decided_in_its_own_way_and_one_that_is_not_asked_has_no_answer() -> None:
    names = ("mood=bad", "mood=good", "why=late", "why=dear", "stars=1", "stars=2", "stars=3")
    groups = (
        Group("mood", "one", 0, 2),
        Group("why", "any", 2, 4, 1, (When(("mood=bad",)),)),
        Group("stars", "ordered", 4, 7),
    )
    space = LabelSpace(tuple(map(Label, names)), "", "several", 1, groups)
    shares = np.array([[0.7, 0.3, 0.1, 0.2, 0.4, 0.3, 0.3], [0.4, 0.6, 0.9, 0.9, 0.2, 0.3, 0.5]], np.float32)
    limits = np.array([0.5, 0.5, 0.4, 0.4, 0.5, 0.5, 0.5], np.float32)
    rows = ticked(space, shares, limits)
    said = [[name for name, one in zip(names, row, strict=True) if one] for row in rows]
    assert said == [["mood=bad", "why=dear", "stars=2"], ["mood=good", "stars=2"]]  # the median of stars, not the mode
    limits[:2] = NEVER  # left to the teacher: then nobody has asked why
    left = ticked(space, shares, limits)
    assert not left[:, :4].any()
    assert left[:, 4:].sum() == 2
    assert expected_right(space, shares, left, limits).tolist() == pytest.approx([0.3, 0.3])
    assert closest(space, shares, limits)[:, 0].tolist() == pytest.approx([0.55, 0.6], abs=1e-5)  # of stars


@given(st.integers(1, 40), st.floats(0.0, 3.0))
def test_a_handful_of_answers_sets_how_many_labels_there_are(rows: int, mean: float) -> None:
    shares = np.random.default_rng(rows).random((rows, 3)).astype(np.float32)
    found = as_many(shares, mean)
    assert (shares >= found.values).sum() == round(mean * rows)


def test_the_common_threshold_is_the_one_with_the_best_micro_f1() -> None:
    random = np.random.default_rng(0)
    truth = random.random((80, 4)) < 0.2
    shares = np.clip(0.15 * truth + random.normal(0.15, 0.08, truth.shape), 0, 1).astype(np.float32)
    best = max(micro_f1(shares >= limit, truth) for limit in np.unique(shares))
    assert micro_f1(shares >= best_common(shares, truth), truth) == pytest.approx(best)
    assert micro_f1(shares >= 0.5, truth) < 0.1 < best


def test_own_thresholds_are_used_only_where_they_do_not_harm() -> None:
    random = np.random.default_rng(1)
    truth = random.random((400, 2)) < 0.3
    level = np.array([0.1, 0.6])  # the second label's probabilities are all much larger
    shares = np.clip(0.15 * truth + level + random.normal(0, 0.05, truth.shape), 0, 1).astype(np.float32)
    own = by_people(shares, truth)
    assert own.values[1] > own.values[0] + 0.2
    assert "own" in own.rule
    few = by_people(random.random((40, 30)).astype(np.float32), random.random((40, 30)) < 0.05)
    assert few.values.shape == (30,)
