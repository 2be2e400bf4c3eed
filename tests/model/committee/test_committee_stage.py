"""Hard pool, hold-out, replay, and the gate that does no harm."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.arrays import FloatArray, IntArray
from model.committee import Gate, HardPool, HardRow, Member, StageData, due, held_out, judge, plan_stage, run_stage
from model.committee.gate import HoldOut
from model.labels import LabelSpace

SPACE = LabelSpace.of(["a", "b"])


def rows(count: int, start: int = 0, human: bool = False) -> list[HardRow]:
    return [HardRow(task, ("ab"[task % 2],), human) for task in range(start, start + count)]


def test_one_row_per_task_and_people_outrank_the_teacher() -> None:
    pool = HardPool([HardRow(1, ("a", "b"))])
    assert pool.add(HardRow(1, ("b",), human=True))
    assert not pool.add(HardRow(1, ("a",)))
    assert pool.add(HardRow(1, ("a",), human=True))
    assert pool[1].labels == ("a",)
    assert len(pool) == 1
    assert pool.add(HardRow(2, ("a",)))  # an equal text under another task keeps its own row
    with pytest.raises(ValueError, match="at least one label"):
        HardRow(3, ())


def test_rows_are_new_until_a_stage_saw_them_and_again_when_they_change() -> None:
    pool = HardPool(rows(4))
    assert due(pool, 4)
    pool.mark([0, 1, 2, 3], stage=1)
    assert not due(pool, 1)
    assert not pool.add(HardRow(0, ("a",)))
    assert pool.add(HardRow(0, ("b",)))
    assert [row.task for row in pool.fresh()] == [0]
    assert HardPool.from_json(pool.to_json()).to_json() == pool.to_json()


def test_the_hold_out_is_a_fifth_and_never_changes() -> None:
    share = np.mean([held_out(task) for task in range(20_000)])
    assert share == pytest.approx(0.2, abs=0.01)
    assert [task for task in range(30) if held_out(task)] == [task for task in range(30) if held_out(task)]


@given(st.integers(1, 120), st.integers(0, 80), st.integers(0, 200), st.integers(0, 3))
def test_no_held_out_task_is_ever_trained_on(fresh: int, seen: int, easy: int, seed: int) -> None:
    pool = HardPool(rows(fresh) + rows(seen, 1000))
    pool.mark(range(1000, 1000 + seen), stage=1)
    agreed = {task: "ab"[task % 2] for task in range(5000, 5000 + easy)}
    people: dict[int, tuple[str, ...]] = dict.fromkeys(range(9000, 9050), ("a",))
    data = plan_stage(pool, agreed, people, seed)
    if data is None:
        assert all(held_out(task) for task in range(fresh))
        return
    assert not any(held_out(task) for task in data.rows())
    assert set(data.fresh) == {task for task in range(fresh) if not held_out(task)}
    assert len(data.replayed) <= len(data.fresh)
    assert set(data.human) == {task for task in people if not held_out(task)}
    assert data == plan_stage(pool, agreed, people, seed)


def test_a_stage_without_new_rows_does_nothing() -> None:
    pool = HardPool(rows(10))
    pool.mark(range(10), stage=1)
    assert plan_stage(pool, {}, {}, 0) is None
    assert plan_stage(HardPool(), {}, {1: ("a",)}, 0) is None


def test_replay_is_balanced_over_labels() -> None:
    agreed = {task: "b" if task % 10 == 0 else "a" for task in range(1000, 3000)}
    data = plan_stage(HardPool(rows(100)), agreed, {}, 0)
    assert data is not None
    labels = [labels[0] for labels in data.replayed.values()]
    assert abs(labels.count("a") - labels.count("b")) <= 1


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


class Fixed:
    """A member that answers by the number in the text; `wrong` texts get the other label."""

    trainable = True
    space = SPACE

    def __init__(self, name: str, wrong: frozenset[int] = frozenset()) -> None:
        self.name, self.wrong = name, wrong

    def probabilities(self, texts: Sequence[str]) -> FloatArray:
        labels = [(int(text) + (int(text) in self.wrong)) % 2 for text in texts]
        return np.eye(2, dtype=np.float32)[labels]

    def save(self, folder: Path) -> None:
        raise AssertionError("a stage saves nothing")


DATA = StageData({1: ("a",)}, {}, {})
TEXTS = [str(number) for number in range(100)]


def test_a_rejected_stage_leaves_the_members_as_they_were() -> None:
    members: list[Member] = [Fixed(name) for name in "xyz"]
    served, report = run_stage(
        members, lambda member, _: (Fixed(member.name, frozenset(range(30))), 0.1), DATA, TEXTS, known(100, 60), 1
    )
    assert not report.promoted
    assert all(new is old for new, old in zip(served, members, strict=True))
    assert set(report.members) == set("xyz")


def test_only_better_members_are_replaced_and_existing_ones_never() -> None:
    weak = frozenset(range(20))
    members: list[Member] = [Fixed("x", weak), Fixed("y", weak), Fixed("z", weak)]
    members[2].trainable = False
    made = {"x": Fixed("x"), "y": Fixed("y", frozenset(range(40)))}
    served, report = run_stage(members, lambda m, _: (made[m.name], 0.1), DATA, TEXTS, known(100, 60), 2, Gate())
    assert served[0] is made["x"]
    assert served[1] is members[1]
    assert served[2] is members[2]
    assert report.promoted
    assert report.members["x"].promoted
    assert "z" not in report.members
