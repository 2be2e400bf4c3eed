"""Replay, hold-out, and the gate that does no harm."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.arrays import IntArray
from model.committee.gate import Gate, HoldOut, judge
from model.committee.replay import balanced_draw, held_out, joined
from model.labels import CandidateSet, HumanLabel, LabelSpace
from model.training.data import training_data

SPACE = LabelSpace.of(["a", "b"])


def test_the_hold_out_is_a_fifth_and_never_changes() -> None:
    share = np.mean([held_out(task) for task in range(20_000)])
    assert share == pytest.approx(0.2, abs=0.01)
    assert [task for task in range(30) if held_out(task)] == [task for task in range(30) if held_out(task)]


@given(st.lists(st.sampled_from("abc"), max_size=60), st.integers(0, 80), st.integers(0, 3))
def test_a_draw_is_balanced_as_far_as_labels_reach(labels: list[str], count: int, seed: int) -> None:
    tasks = list(range(100, 100 + len(labels)))
    drawn = balanced_draw(tasks, labels, count, np.random.default_rng(seed))
    assert len(drawn) == len(set(drawn)) == min(count, len(tasks))
    assert set(drawn) <= set(tasks)
    found = [labels[task - 100] for task in drawn]
    for label in set(labels):  # no label has two more than another one that is not used up
        for other in set(labels):
            assert found.count(label) <= found.count(other) + 1 or found.count(other) == labels.count(other)
    assert drawn == balanced_draw(tasks, labels, count, np.random.default_rng(seed))


def test_votes_join_the_data_as_candidate_sets() -> None:
    data = training_data(SPACE, ["x", "y"], [CandidateSet(("a",)), None], [None, HumanLabel(("b",))])
    votes = [CandidateSet(("b", "a"), (0.7, 0.3)), CandidateSet(("b",))]
    found = joined(data, SPACE, ["p", "q"], votes)
    assert list(found.texts) == ["x", "y", "p", "q"]
    assert found.candidates.tolist() == [[True, False], [False, True], [True, True], [False, True]]
    assert found.human.tolist() == [False, True, False, False]
    assert found.first.tolist() == [0, -1, 1, 1]
    assert joined(data, SPACE, [], []) is data


def known(rows: int, human: int, agreed: int = 0) -> HoldOut:
    """A hold-out: first people's rows, then unanimous ones, then reviewed ones; gold alternates."""
    numbers = np.arange(rows)
    return HoldOut(numbers % 2, numbers < human, (numbers >= human) & (numbers < human + agreed))


def flipped(gold: IntArray, wrong: Sequence[int]) -> IntArray:
    found = gold.copy()
    found[list(wrong)] = 1 - found[list(wrong)]
    return found


def test_people_judge_from_fifty_rows_on_else_the_teacher() -> None:
    many, few = known(120, 60), known(120, 40)
    worse_for_people = flipped(many.gold, range(10))
    report = judge(many.gold, worse_for_people, many, 0.1)
    assert (report.promoted, report.judged_on, report.rows) == (False, "people", 60)
    assert "less accurate" in report.reason
    assert judge(flipped(few.gold, range(60, 70)), few.gold, few, 0.1).judged_on == "teacher"


def test_a_better_member_is_promoted_with_its_interval() -> None:
    held = known(200, 100)
    report = judge(flipped(held.gold, range(20)), held.gold, held, 0.1)
    assert report.promoted
    assert report.difference == pytest.approx(0.2)
    assert 0.1 < report.low < report.difference < report.high < 0.3


def test_a_little_less_accurate_is_noise_unless_the_gate_is_strict() -> None:
    held = known(200, 100)
    slightly = flipped(held.gold, [1])
    before = flipped(held.gold, [])
    assert judge(before, slightly, held, 0.1).promoted
    assert "less accurate" in judge(before, slightly, held, 0.1, Gate(strict=True)).reason


def test_an_exact_tie_must_be_better_for_the_teacher() -> None:
    held = known(200, 100)
    assert judge(held.gold, held.gold, held, 0.1).reason == "no better"
    assert judge(flipped(held.gold, range(150, 160)), held.gold, held, 0.1).promoted


def test_forgetting_dead_labels_and_broken_losses_are_rejected() -> None:
    held = known(300, 100, agreed=100)
    forgot = flipped(held.gold, [*range(100, 110)])
    assert "forgot" in judge(flipped(held.gold, range(10)), forgot, held, 0.1).reason
    dead = HoldOut(np.array([0] * 80 + [1] * 20), np.ones(100, bool), np.zeros(100, bool))
    assert "never right on label number 1" in judge(np.ones(100, np.int64), np.zeros(100, np.int64), dead, 0.1).reason
    assert "loss" in judge(flipped(held.gold, range(10)), held.gold, held, float("nan")).reason
    assert "nothing" in judge(held.gold[:0], held.gold[:0], known(0, 0), 0.1).reason


def test_without_people_and_teacher_only_what_was_agreed_is_looked_at() -> None:
    held = known(200, 0, agreed=200)
    report = judge(held.gold, flipped(held.gold, range(4)), held, 0.1, Gate(forgetting=0.1))
    assert (report.promoted, report.judged_on, report.rows) == (True, "agreement", 0)
    assert "forgot" in judge(held.gold, flipped(held.gold, range(60)), held, 0.1, Gate(forgetting=0.1)).reason
    noise = flipped(held.gold, range(3))  # 1.5 points of 200 rows are no proof of more than one
    assert judge(held.gold, noise, held, 0.1).promoted
    assert "forgot" in judge(held.gold, noise, held, 0.1, Gate(strict=True)).reason
