"""The promise about a finished pool, made many times over in made-up worlds."""

from __future__ import annotations

import pytest

from benchmarks.finish import part_worlds
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


@pytest.mark.parametrize("world", part_worlds.WORLDS)
def test_a_promise_about_losses_and_parts_is_kept_and_teeth_are_there(world: part_worlds.World) -> None:
    found = part_worlds.often(40, world)
    assert found["broken"] <= 7  # the .999 quantile of Binomial(40, RISK)
    assert found["people"] < 0.95
    if world != "questions":  # there the spoilt audit, too, finds errors of one of them
        assert part_worlds.often(12, world, "sorted")["broken"] > 5


def test_the_same_seed_gives_the_same_worlds() -> None:
    assert often(3) == often(3)
    assert RISK == 0.05
