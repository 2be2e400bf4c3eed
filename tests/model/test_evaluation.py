"""Candidate metrics against the paper's table, intervals and per-label figures."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model import evaluation as ev

# coverage, mean size, labels, printed F1: CanDist, the candidate-metric tables
PAPER = [
    (71.07, 1.00, 6, 83.1),
    (74.65, 1.07, 6, 85.0),
    (89.09, 1.70, 6, 87.5),
    (79.06, 1.56, 5, 82.4),
    (88.99, 1.95, 5, 82.1),
    (76.99, 1.74, 77, 86.6),
    (80.14, 2.00, 77, 88.5),
    (94.47, 1.30, 4, 92.2),
    (97.19, 1.70, 4, 85.7),
    (79.15, 1.81, 5, 79.51),
    (98.59, 1.37, 14, 97.9),
    (96.28, 1.44, 6, 93.63),
]


@pytest.mark.parametrize(("covered", "size", "labels", "printed"), PAPER)
def test_f1_of_the_paper(covered: float, size: float, labels: int, printed: float) -> None:
    shrunk = (labels - size) / (labels - 1)
    assert 100 * ev.f1(covered / 100, shrunk) == pytest.approx(printed, abs=0.07)


def test_candidate_report() -> None:
    sets = [("0",), ("1", "2"), ("2", "3"), ("0", "1"), ("0", "1", "2", "3")]
    report = ev.candidate_report(sets, ["0", "1", "2", "3", "0"], 4)
    assert report.coverage is not None
    assert report.top1 is not None
    assert report.coverage.value == pytest.approx(0.8)
    assert report.beta == pytest.approx(0.6)
    assert report.f1 == pytest.approx(0.685714, abs=1e-6)
    assert report.set_size == pytest.approx(2.2)
    assert report.top1.value == pytest.approx(0.8)
    assert report.uninformative == 1
    assert report.per_class["3"] == ev.rate(0, 1)


def test_nothing_known_is_none() -> None:
    report = ev.candidate_report([], [], 3)
    assert (report.coverage, report.beta, report.f1, report.set_size) == (None, None, None, None)
    assert ev.accuracy([], []) is None
    assert ev.mean_f1({}) is None


def test_beta_needs_two_labels_and_f1_survives_zero() -> None:
    with pytest.raises(ValueError, match="two labels"):
        ev.beta([("a",)], 1)
    assert ev.f1(0.0, 0.0) == 0.0


def test_wilson_interval_of_a_known_case() -> None:
    found = ev.rate(8, 10)
    assert found is not None
    assert (found.low, found.high) == (pytest.approx(0.4901, abs=1e-3), pytest.approx(0.9433, abs=1e-3))


@given(st.integers(1, 500), st.data())
def test_intervals_hold_their_share(count: int, data: st.DataObject) -> None:
    hits = data.draw(st.integers(0, count))
    found = ev.rate(hits, count)
    assert found is not None
    assert 0 <= found.low <= found.value + 1e-12
    assert found.value - 1e-12 <= found.high <= 1


@given(st.lists(st.sets(st.sampled_from("abcd"), min_size=1, max_size=3), min_size=1, max_size=20), st.data())
def test_a_larger_set_never_covers_less(sets: list[set[str]], data: st.DataObject) -> None:
    gold = data.draw(st.lists(st.sampled_from("abcd"), min_size=len(sets), max_size=len(sets)))
    before, shrunk = ev.coverage(sets, gold), ev.beta(sets, 4)
    row = data.draw(st.integers(0, len(sets) - 1))
    added = sorted(set("abcd") - sets[row])[0]
    wider = [*sets[:row], sets[row] | {added}, *sets[row + 1 :]]
    after, larger = ev.coverage(wider, gold), ev.beta(wider, 4)
    assert before is not None
    assert after is not None
    assert shrunk is not None
    assert larger is not None
    assert after.value >= before.value
    assert shrunk - larger == pytest.approx(1 / (3 * len(sets)))
    assert min(after.value, larger) - 1e-9 <= ev.f1(after.value, larger) <= max(after.value, larger) + 1e-9


def test_pairs_that_always_come_together() -> None:
    sets = [("a", "b")] * 10 + [("c",)] * 3 + [("c", "a")]
    assert ev.inseparable_pairs(sets) == (("a", "b"),)


def test_figures_per_label() -> None:
    found = ev.per_label(["a", "a", "b"], ["a", "b", "c"])
    assert (found["a"].precision, found["a"].recall) == (0.5, 1.0)
    assert found["b"].f1 == 0.0
    assert found["c"].precision is None
    assert ev.mean_f1(ev.per_label(["a", "a", "b"], ["a", "b", "c"])) == pytest.approx((2 / 3) / 3)


@given(st.integers(0, 200), st.integers(1, 200))
def test_the_interval_holds_the_share(right: int, more: int) -> None:
    found = ev.rate(right, right + more)
    assert found is not None
    assert 0 <= found.low <= right / (right + more) <= found.high <= 1
