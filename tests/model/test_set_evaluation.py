"""Figures of sets of labels, against values worked out by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.set_evaluation import hierarchical_f1, ordered_figures, set_report

TRUTH = [{"a", "b"}, {"b"}, set(), {"a", "c", "d"}]
SAID = [{"a"}, {"b", "c"}, set(), {"a", "c"}]
sets = st.lists(st.tuples(st.sets(st.sampled_from("abcd")), st.sets(st.sampled_from("abcd"))), min_size=1, max_size=8)


def test_figures_of_four_tasks() -> None:
    found = set_report(SAID, TRUTH)
    assert found.exact is not None
    assert (found.tasks, found.exact.value) == (4, 0.25)
    assert found.jaccard == pytest.approx(0.666667, abs=1e-6)
    assert found.micro_f1 == pytest.approx(0.727273, abs=1e-6)
    assert found.macro_f1 == pytest.approx(0.583333, abs=1e-6)
    assert found.row_f1 == pytest.approx(0.783333, abs=1e-6)
    assert (found.mean_predicted, found.mean_true) == (1.25, 1.5)
    one = found.labels["c"]
    assert (one.precision, one.recall, one.f1, one.gold, one.predicted) == (0.5, 1.0, pytest.approx(2 / 3), 1, 2)
    assert found.labels["d"].precision is None


def test_levels_in_order_are_judged_by_how_far_off_they_are() -> None:
    found = ordered_figures([0, 2, 2, 1, 3, 1], [0, 1, 2, 3, 2, 1], 4)
    assert found["mean_error"] == pytest.approx(0.666667, abs=1e-6)
    assert found["quadratic_kappa"] == pytest.approx(0.454545, abs=1e-6)
    assert ordered_figures([2, 2], [2, 2], 4) == {"mean_error": 0.0, "quadratic_kappa": None}
    assert ordered_figures([], [], 4) == {"mean_error": None, "quadratic_kappa": None}


def test_nothing_is_guessed_without_tasks() -> None:
    found = set_report([], [])
    assert (found.tasks, found.exact, found.jaccard, found.micro_f1) == (0, None, None, None)


@given(sets)
def test_a_perfect_answer_has_every_figure_at_one_and_no_figure_leaves_its_range(
    pairs: list[tuple[set[str], set[str]]],
) -> None:
    said, truth = [left for left, _ in pairs], [right for _, right in pairs]
    right = set_report(truth, truth)
    assert right.exact is not None
    assert {right.exact.value, right.jaccard, right.micro_f1, right.macro_f1, right.row_f1} == {1.0}
    found = set_report(said, truth)
    assert all(0.0 <= value <= 1.0 for value in (found.jaccard, found.micro_f1, found.macro_f1, found.row_f1) if value)


def test_places_in_a_tree_count_with_what_is_above_them() -> None:
    truth = [("a", "a1"), ("a", "a1"), ("b", "b1"), ("b", "b2")]
    said = [("a", "a2"), ("a",), ("b", "b1"), ("a", "a1")]
    found = hierarchical_f1([[path] for path in said], [[path] for path in truth])
    assert found == pytest.approx(0.533333, abs=1e-6)
    assert hierarchical_f1([[]], [[]]) is None
