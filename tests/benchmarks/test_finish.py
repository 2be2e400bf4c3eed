"""The promise about a finished pool, made many times over in made-up worlds."""

from __future__ import annotations

import pytest

from benchmarks.finish.__main__ import WORLDS
from benchmarks.finish.validity import RISK, Rule, World, often


@pytest.mark.parametrize("world", WORLDS)
def test_a_promise_is_broken_no_more_often_than_it_says(world: World) -> None:
    found = often(60, world)
    assert found["broken"] <= 10  # the .999 quantile of Binomial(60, RISK)
    assert found["people"] < 0.9, "a rule that leaves everything to people promises nothing"


@pytest.mark.parametrize(
    ("rule", "world"),
    [("sorted", "drifting"), ("dropped", "even"), ("memorised", "uneven"), ("shown", "several people")],
)
def test_a_spoilt_rule_is_caught(rule: Rule, world: World) -> None:
    assert often(60, world, rule)["broken"] > 10


def test_the_same_seed_gives_the_same_worlds() -> None:
    assert often(3) == often(3)
    assert RISK == 0.05
