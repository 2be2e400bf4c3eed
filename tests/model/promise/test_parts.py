"""Losses between nought and one, and promises about several parts of a pool."""

from __future__ import annotations

import itertools
import random
from math import comb

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.groups import Group
from model.labels import Label, LabelSpace
from model.promise.acceptance import acceptance_number, breaking_number, seen_at_most
from model.promise.border import look
from model.promise.parts import Part, left_blank, look_at, lost, parts_of

NAMES = ("topic=a", "topic=b", "stars=1", "stars=2", "stars=3", "tags=x", "tags=y", "tags=z")
GROUPS = (Group("topic", "one", 0, 2), Group("stars", "ordered", 2, 5), Group("tags", "any", 5, 8, 0))
SPACE = LabelSpace(tuple(map(Label, NAMES)), answer="several", questions=GROUPS)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=5, max_size=9), st.integers(2, 6), st.sampled_from((0.1, 0.2, 0.35)),
       st.sampled_from((0.05, 0.15, 0.3, 0.5)))  # fmt: skip
def test_of_all_audits_no_more_break_a_promise_than_the_risk(
    losses: list[int], audited: int, target: float, risk: float
) -> None:
    """Every sample of a small pool, in the worst order and as it stands: losses are quarters."""
    audited = min(audited, len(losses))
    breaking = breaking_number(len(losses), target, 4)
    for order in (losses, sorted(losses), sorted(losses, reverse=True)):
        places = {task: (task / 100, 0.0) for task in range(len(order))}
        broken = 0
        for sample in itertools.combinations(range(len(order)), audited):
            seen = {task: order[task] for task in sample if order[task]}
            found = look(places, set(sample), seen, breaking, risk, steps=4)
            broken += sum(order[task] for task in found.accepted) >= breaking
        assert broken <= risk * comb(len(order), audited) + 1e-9


@given(st.integers(0, 2**32), st.integers(2, 9), st.integers(0, 12))
def test_what_an_audit_sees_is_bounded_however_losses_are_spread(seed: int, audited: int, seen: int) -> None:
    draw = random.Random(seed)
    losses = [draw.choice((0, 0, 1, 2, 3, 4)) for _ in range(10)]
    below = sum(sum(sample) <= seen for sample in itertools.combinations(losses, audited)) / comb(10, audited)
    assert below <= seen_at_most(seen, 10, sum(losses), audited, 4) + 1e-9


def test_losses_in_steps_take_a_little_more_than_errors_and_accept_more_units() -> None:
    breaking = breaking_number(2000, 0.05)
    assert acceptance_number(2000, breaking, 300, 0.05) == 10
    quarters = acceptance_number(2000, breaking_number(2000, 0.05, 4), 300, 0.05, 4)
    assert 7 * 4 <= quarters < 11 * 4
    assert acceptance_number(2000, breaking_number(2000, 0.05, 4), 20, 0.05, 4) == -1
    assert acceptance_number(10, breaking_number(10, 0.9, 4), 10, 0.05, 4) == 40, "all are audited"


def test_parts_are_questions_or_their_labels() -> None:
    targets = {"topic": 0.05, "stars": 0.1, "tags": 1.0}
    assert parts_of(SPACE, targets, whole=False, per_label=False) == (
        Part("topic", "", 0.05),
        Part("stars", "", 0.1, 2),
    )
    split = parts_of(SPACE, targets, whole=True, per_label=True)
    assert [part.label for part in split] == list(NAMES[:5])
    assert Part("stars", "", 0.1, 2).spared(100) == 10
    assert Part("topic", "topic=a", 0.1).spared(100) == 0


@pytest.mark.parametrize(
    ("part", "said", "right", "units"),
    [
        (Part("stars", "", 0.1, 2), ("topic=a", "stars=1"), ("topic=b", "stars=3"), 2),
        (Part("stars", "", 0.1, 2), ("stars=1",), ("stars=2",), 1),
        (Part("stars", "", 0.1), ("stars=1",), ("stars=2",), 1),
        (Part("topic", "", 0.1), ("topic=a", "stars=1"), ("topic=a", "stars=3"), 0),
        (Part("tags", "", 0.1, 20), ("tags=x", "tags=y"), ("tags=x", "tags=z"), 14),  # 2/3 of 20, rounded up
        (Part("tags", "", 0.1, 20), (), ("tags=x",), 20),
        (Part("tags", "", 0.1, 20), (), (), 0),
    ],
)
def test_what_an_answer_loses(part: Part, said: tuple[str, ...], right: tuple[str, ...], units: int) -> None:
    assert lost(SPACE, part, said, right) == units


def test_a_task_is_left_to_the_student_only_where_all_its_parts_are() -> None:
    parts = parts_of(SPACE, {"topic": 0.1, "stars": 0.2, "tags": 1.0}, whole=True, per_label=False)
    places = {task: (task / 1000, 0.0) for task in range(400)}
    said = dict.fromkeys(places, ("topic=a", "stars=1"))
    audited = set(range(0, 400, 4))
    found = {task: {"topic": int(100 <= task < 200), "stars": 0} for task in audited}
    seen, kept = look_at(SPACE, parts, 400, places, said, found, 0.05)
    assert [one.look.border is None for one in seen] == [False, True]
    assert kept == seen[0].look.accepted
    assert all(one.risk == 0.025 for one in seen)


def test_a_label_that_is_too_rare_stays_with_people() -> None:
    parts = parts_of(SPACE, {"topic": 0.1, "stars": 1.0, "tags": 1.0}, whole=True, per_label=True)
    places = {task: (0.1, task / 1000) for task in range(400)}
    said = {task: ("topic=b" if task % 20 == 0 else "topic=a",) for task in places}
    seen, kept = look_at(SPACE, parts, 400, places, said, {task: {"topic": 0} for task in range(100)}, 0.05)
    assert [one.look.acceptance >= 0 for one in seen] == [True, False]
    assert kept == {task for task in range(100, 400) if task % 20}


def test_a_pool_without_anything_left_is_looked_at_too() -> None:
    for whole in (True, False):
        parts = parts_of(SPACE, {"topic": 0.1, "stars": 0.1, "tags": 1.0}, whole=whole, per_label=False)
        seen, kept = look_at(SPACE, parts, 400, {}, {}, {}, 0.05)
        assert [(one.look.errors, one.look.border, one.members) for one in seen] == [(0, None, 0)] * 2
        assert not kept


def test_an_answer_without_what_has_to_be_answered_is_blank() -> None:
    assert left_blank(SPACE, ("topic=a",))
    assert not left_blank(SPACE, ("topic=a", "stars=1"))
