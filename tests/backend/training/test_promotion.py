"""A worse model is rejected, chance is not taken for a fault, too little evidence is called so, collapse is seen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.pool.set_aside import HELD_OUT_SHARE, is_held_out
from backend.training.promotion import ENOUGH, Reference, Said, collapse, effective_labels, judge

UNLIKE = "the 200 human labels are no sample of the pool: they name 2 labels, about 71 would be expected"


def labels(right: int, of: int) -> dict[int, str]:
    return {task: "a" if task < right else "b" for task in range(of)}


TRUTH = dict.fromkeys(range(100), "a")
TEACHER = Said("the teacher", labels(80, 100))


def spread(number: int, tasks: int = 1000) -> dict[int, str]:
    """Answers that use so many labels equally often."""
    return {task: f"label {task % number}" for task in range(tasks)}


def sets(of: dict[int, str]) -> dict[int, tuple[str, ...]]:
    return {task: (label, "other") for task, label in of.items()}


def test_a_clearly_worse_version_is_rejected_with_figures() -> None:
    verdict = judge(TRUTH, Said("it", labels(60, 100)), Said("student-1-abcdef", labels(80, 100)), Reference())
    assert not verdict.accepted
    assert verdict.reason == (
        "rejected as worse than what is served: right on 60 of 100 human labels kept for testing, "
        "student-1-abcdef on 80 of 100"
    )


def test_a_little_worse_may_be_chance() -> None:
    assert judge(TRUTH, Said("it", labels(79, 100)), TEACHER, Reference()).accepted


def test_a_better_one_is_accepted() -> None:
    verdict = judge(TRUTH, Said("it", labels(90, 100)), TEACHER, Reference())
    assert verdict.accepted
    assert "90 of 100" in verdict.reason
    assert "the teacher on 80 of 100" in verdict.reason


def test_too_few_human_labels_judge_nothing() -> None:
    truth = dict.fromkeys(range(ENOUGH - 1), "a")
    verdict = judge(truth, Said("it", dict.fromkeys(truth, "b")), Said("the teacher", truth), Reference())
    assert verdict.accepted
    assert f"takes {ENOUGH} human labels kept for testing, and there are {ENOUGH - 1}" in verdict.reason


def test_without_anything_served_there_is_nothing_to_compare() -> None:
    assert "nothing served" in judge(TRUTH, Said("it", labels(60, 100)), None, Reference()).reason


def test_only_tasks_that_both_answered_are_compared() -> None:
    served = Said("the teacher", dict.fromkeys(range(90, 100), "a"))
    assert "nothing served" in judge(TRUTH, Said("it", labels(60, 100)), served, Reference()).reason


@given(right=st.integers(0, 100), served=st.integers(0, 100))
def test_at_least_as_good_is_never_rejected(right: int, served: int) -> None:
    verdict = judge(TRUTH, Said("it", labels(right, 100)), Said("x", labels(served, 100)), Reference())
    assert verdict.accepted or right < served


def test_a_first_student_that_collapsed_is_not_served_although_nobody_has_labelled() -> None:
    pool = Reference(sets(spread(77)))
    verdict = judge({}, Said("it", {}, {**spread(1), 3: "label 5"}), Said("the teacher", {}), pool)
    assert not verdict.accepted
    assert verdict.reason.startswith("rejected as collapsed: it answers 100% of 1000 tasks with 'label 0'")
    assert judge({}, Said("it", {}, spread(40)), Said("the teacher", {}), pool).accepted


def test_a_repaired_student_replaces_a_collapsed_one_although_a_sorted_file_speaks_for_that() -> None:
    """200 labels of a file that is sorted by label: 29 of them held out, all of two labels that the served one says."""
    truth = {task: f"label {task % 2}" for task in range(29)}
    pool = Reference(sets(spread(77)), [f"label {task % 2}" for task in range(200)], UNLIKE)
    collapsed = Said("student-2-abcdef", truth, spread(2))
    repaired = Said("it", {task: "label 9" if task < 12 else label for task, label in truth.items()}, spread(77))
    verdict = judge(truth, repaired, collapsed, pool)
    assert verdict.accepted
    assert "student-2-abcdef answers 50% of 1000 tasks with 'label 0' and uses 2.0 labels" in verdict.reason
    back = judge(truth, Said("it", truth, spread(2)), Said("student-3-abcdef", repaired.held_out, spread(77)), pool)
    assert not back.accepted


def test_one_label_for_all_is_served_where_people_say_that_nearly_all_have_it() -> None:
    truth = {task: "label 0" if task % 20 else "label 1" for task in range(60)}
    pool, constant = (
        Reference(sets(spread(2)), list(truth.values())),
        Said("it", dict.fromkeys(truth, "label 0"), spread(1)),
    )
    poor = Said("the teacher", {task: "label 1" if task < 30 else "label 0" for task in truth}, spread(2))
    assert collapse(constant, pool)
    assert judge(truth, constant, poor, pool).accepted
    assert not judge(truth, constant, Said("the teacher", truth, spread(2)), pool).accepted
    assert not judge(truth, constant, poor, Reference(pool.sets, pool.people, UNLIKE)).accepted


def test_labels_that_are_no_sample_judge_nothing_and_the_reason_says_so() -> None:
    truth = {task: f"label {task % 2}" for task in range(29)}
    pool = Reference(sets(spread(77)), [f"label {task % 2}" for task in range(200)], UNLIKE)
    wrong = dict.fromkeys(truth, "label 9")
    verdict = judge(truth, Said("it", wrong, spread(77)), Said("student-1-abcdef", truth, spread(77)), pool)
    assert verdict.accepted
    assert verdict.reason == (
        f"accepted: {UNLIKE}; on 1000 tasks of the pool it agrees with the teacher on 1000, student-1-abcdef on 1000"
    )
    strange = {task: f"label {(task + 1) % 77}" for task in range(1000)}
    far = judge(truth, Said("it", truth, strange), Said("student-1-abcdef", wrong, spread(77)), pool)
    assert not far.accepted
    assert "further from the teacher" in far.reason
    assert "they judge nothing" in judge(truth, Said("it", wrong, spread(77)), Said("the teacher", truth), pool).reason


def test_people_who_are_a_sample_may_use_fewer_labels_than_the_teacher() -> None:
    people = ["label 0"] * 95 + ["label 1"] * 5
    narrow = Said("it", {}, {task: "label 0" if task % 20 else "label 1" for task in range(1000)})
    assert collapse(narrow, Reference(sets(spread(30))))
    assert collapse(narrow, Reference(sets(spread(30)), people)) == ""
    assert collapse(narrow, Reference(sets(spread(30)), people, UNLIKE))
    assert collapse(Said("it", {}, spread(1, 10)), Reference(sets(spread(30)))) == ""


@given(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=60))
def test_effective_labels_lie_between_one_and_the_number_of_labels(said: list[str]) -> None:
    assert effective_labels(said) + 1e-9 >= 1.0
    assert effective_labels(said) <= len(set(said)) + 1e-9
    assert effective_labels(list("abcd") * len(said)) == pytest.approx(4.0)


def test_what_is_set_aside_never_changes_and_is_the_right_share() -> None:
    chosen = [is_held_out(7, task) for task in range(20_000)]
    assert chosen == [is_held_out(7, task) for task in range(20_000)]
    assert abs(sum(chosen) / len(chosen) - HELD_OUT_SHARE) < 0.01
    assert chosen != [is_held_out(8, task) for task in range(20_000)]
