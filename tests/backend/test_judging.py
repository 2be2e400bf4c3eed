"""A worse model is rejected, chance is not taken for a fault, and too little evidence is called so."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from backend.judging import ENOUGH, HELD_OUT_SHARE, is_held_out, judge


def labels(right: int, of: int) -> dict[int, str]:
    return {task: "a" if task < right else "b" for task in range(of)}


TRUTH = dict.fromkeys(range(100), "a")


def test_a_clearly_worse_version_is_rejected_with_figures() -> None:
    verdict = judge(TRUTH, labels(60, 100), labels(80, 100), "student-1-abcdef")
    assert not verdict.accepted
    assert verdict.reason == (
        "rejected as worse than what is served: 60 of 100 set-aside human labels right, student-1-abcdef has 80 of 100"
    )


def test_a_little_worse_may_be_chance() -> None:
    assert judge(TRUTH, labels(79, 100), labels(80, 100), "the teacher").accepted


def test_a_better_one_is_accepted() -> None:
    verdict = judge(TRUTH, labels(90, 100), labels(80, 100), "the teacher")
    assert verdict.accepted
    assert "90 of 100" in verdict.reason
    assert "the teacher has 80 of 100" in verdict.reason


def test_too_few_human_labels_judge_nothing() -> None:
    truth = dict.fromkeys(range(ENOUGH - 1), "a")
    verdict = judge(truth, dict.fromkeys(truth, "b"), truth, "the teacher")
    assert verdict.accepted
    assert f"{ENOUGH - 1} of {ENOUGH}" in verdict.reason


def test_without_anything_served_there_is_nothing_to_compare() -> None:
    assert "nothing served" in judge(TRUTH, labels(60, 100), None, "the teacher").reason


def test_only_tasks_that_both_answered_are_compared() -> None:
    served = dict.fromkeys(range(90, 100), "a")
    assert "nothing served" in judge(TRUTH, labels(60, 100), served, "the teacher").reason


@given(right=st.integers(0, 100), served=st.integers(0, 100))
def test_at_least_as_good_is_never_rejected(right: int, served: int) -> None:
    verdict = judge(TRUTH, labels(right, 100), labels(served, 100), "x")
    assert verdict.accepted or right < served


def test_what_is_set_aside_never_changes_and_is_the_right_share() -> None:
    chosen = [is_held_out(7, task) for task in range(20_000)]
    assert chosen == [is_held_out(7, task) for task in range(20_000)]
    assert abs(sum(chosen) / len(chosen) - HELD_OUT_SHARE) < 0.01
    assert chosen != [is_held_out(8, task) for task in range(20_000)]
