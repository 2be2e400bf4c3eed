"""The acceptance number: the specification's vectors, and what must hold for every pool."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.promise.acceptance import acceptance_number, at_most, breaking_number, least_audit
from model.promise.border import look
from model.promise.looks import FEWEST, attempt_risk, look_risk, plan


def test_probabilities_of_a_tiny_pool() -> None:
    found = [at_most(c, 20, 4 + c, 10) for c in range(5)]
    assert found == pytest.approx([0.043344, 0.151703, 0.314241, 0.5, 0.675042], abs=1e-6)
    assert breaking_number(20, 0.15) == 4
    assert acceptance_number(20, 4, 10, 0.05) == 0


def test_probabilities_of_a_pool_of_two_thousand() -> None:
    found = [at_most(c, 2000, 101 + c, 300) for c in (8, 9, 10, 11)]
    assert found == pytest.approx([0.010525, 0.021571, 0.040278, 0.069259], abs=1e-6)
    assert acceptance_number(2000, breaking_number(2000, 0.05), 300, 0.05) == 10


@pytest.mark.parametrize(
    ("pool", "risk", "numbers"), [(2000, 0.05, [1, 5, 16]), (2000, 0.01, [0, 3, 13]), (10_000, 0.05, [1, 4, 13])]
)
def test_acceptance_numbers(pool: int, risk: float, numbers: list[int]) -> None:
    breaking = breaking_number(pool, 0.05)
    assert [acceptance_number(pool, breaking, audit, risk) for audit in (100, 200, 400)] == numbers


@pytest.mark.parametrize(
    ("pool", "least"),
    [
        (500, [196, 119, 54, 28]),
        (1000, [238, 132, 56, 28]),
        (2000, [265, 140, 57, 29]),
        (10_000, [291, 147, 59, 29]),
        (1_000_000, [298, 149, 59, 29]),  # without end: ceil(log a / log(1 - target)), 299 for the first
    ],
)
def test_the_least_audit(pool: int, least: list[int]) -> None:
    targets = (0.01, 0.02, 0.05, 0.1)
    assert [least_audit(pool, breaking_number(pool, target), 0.05) for target in targets] == least


def test_the_border_is_the_first_error_too_many() -> None:
    """Half of twenty tasks audited, two errors among them: the machine keeps the four surest of the rest."""
    errors = {1: 0.30, 2: 0.55}
    right = dict.fromkeys(range(3, 11), 0.01)
    rest = dict(enumerate((0.05, 0.10, 0.20, 0.25, 0.31, 0.40, 0.50, 0.60, 0.70, 0.90), start=11))
    undecided = {task: (score, task / 100) for task, score in {**errors, **right, **rest}.items()}
    found = look(undecided, {*errors, *right}, dict.fromkeys(errors, 1), 4, 0.05)
    assert (found.acceptance, found.border) == (0, (0.30, 0.01))
    assert found.accepted == {11, 12, 13, 14}
    assert len(found.people) == 6


def test_ties_are_broken_by_the_rank() -> None:
    undecided = {task: (0.5, task / 100) for task in range(100)}
    found = look(undecided, set(range(20, 40)), {30: 1}, 11, 0.1)
    assert found.acceptance == 0
    assert found.accepted == set(range(20))


@given(
    st.integers(1, 400).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(0, n))),
    st.integers(-1, 400),
)
def test_the_same_as_the_reference(numbers: tuple[int, int, int], errors: int) -> None:
    undecided, wrong, audited = numbers
    from scipy.stats import hypergeom  # takes seconds, in each process that collects tests

    expected = float(hypergeom.cdf(errors, undecided, wrong, audited))
    assert at_most(errors, undecided, wrong, audited) == pytest.approx(expected, abs=1e-9)


@given(st.integers(20, 600), st.integers(1, 60), st.integers(0, 600), st.floats(0.001, 0.3))
def test_the_number_moves_as_it_should(undecided: int, breaking: int, audited: int, risk: float) -> None:
    audited = min(audited, undecided)
    now = acceptance_number(undecided, breaking, audited, risk)
    assert now <= acceptance_number(undecided, breaking, min(undecided, audited + 1), risk)
    assert now <= acceptance_number(undecided, breaking, audited, min(0.5, 2 * risk))
    assert now <= acceptance_number(undecided, breaking + 1, audited, risk)
    assert acceptance_number(undecided + 1, breaking, audited, risk) <= now


@given(st.integers(0, 2**32), st.integers(0, 30))
def test_more_errors_never_leave_more_to_the_machine(seed: int, errors: int) -> None:
    import random

    draw = random.Random(seed)
    undecided = {task: (draw.random(), draw.random()) for task in range(200)}
    audited = set(draw.sample(range(200), 80))
    wrong = dict.fromkeys(draw.sample(sorted(audited), errors), 1)
    fewer = dict.fromkeys(sorted(wrong)[1:], 1)
    many, few = (look(undecided, audited, some, 11, 0.1) for some in (wrong, fewer))
    assert many.accepted <= few.accepted
    assert many.accepted | many.people == undecided.keys() - audited
    squared = {task: (score**2, rank) for task, (score, rank) in undecided.items()}
    assert look(squared, audited, wrong, 11, 0.1).accepted == many.accepted
    assert look(undecided, audited, {}, 11, 0.1).people == frozenset()


def test_without_an_acceptance_number_nothing_is_left_to_the_machine() -> None:
    undecided = {task: (0.0, task / 100) for task in range(100)}
    found = look(undecided, set(range(5)), {}, 6, 0.05)
    assert found.acceptance == -1
    assert not found.accepted


def test_looks_are_fixed_and_pay_together() -> None:
    steps = plan(2000, 2000, 0.05, 0.05)
    assert steps == ((160, 204), (320, 205), (640, 208))
    assert len(steps) * look_risk(0.05, len(steps)) == pytest.approx(0.05)
    assert plan(20 * FEWEST - 1, 400, 0.05, 0.05) == ()
    assert least_audit(400, 21, 0.05 / 8) <= min(step.audited for step in plan(400, 400, 0.05, 0.05))
    assert math.fsum(attempt_risk(0.05, attempt) for attempt in range(1, 10_000)) == pytest.approx(0.05, rel=1e-3)


@pytest.mark.parametrize(("pool", "target"), [(400, 0.05), (1_000, 0.05), (2_000, 0.02), (10_000, 0.05)])
def test_no_audit_of_a_look_is_larger_than_what_it_accepts_takes(pool: int, target: float) -> None:
    steps = plan(pool, pool, target, 0.05)
    assert len(steps) == 3
    assert [step.audited for step in steps] == sorted(step.audited for step in steps), "an audit only grows"
    for step in steps:
        left, breaking, risk = pool - step.chosen, breaking_number(pool, target), look_risk(0.05, 3)
        smaller, enough = (acceptance_number(left, breaking, step.audited - less, risk) for less in (1, 0))
        assert smaller < enough
