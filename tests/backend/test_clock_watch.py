"""A clock that is set is noticed by one that cannot be."""

from __future__ import annotations

import pytest

from backend.clock_watch import SHOWN_SECONDS, ClockWatch


class Clocks:
    """Both clocks of a machine."""

    def __init__(self) -> None:
        self.wall, self.steady = 1_800_000_000.0, 50.0

    def watch(self) -> ClockWatch:
        return ClockWatch(lambda: self.wall, lambda: self.steady)

    def pass_by(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(10_920, "went forward by 3 h 2 min"), (-2 * 3600, "went back by 2 h 0 min"), (45, "went forward by 1 min"),
     (-29, ""), (20, "")],
)  # fmt: skip
def test_a_jump_is_told_in_words(seconds: float, said: str) -> None:
    clocks = Clocks()
    watch = clocks.watch()
    clocks.pass_by(1000)
    assert watch.told() == ""
    clocks.wall += seconds
    assert said in watch.told()
    assert bool(watch.told()) is bool(said)


def test_each_jump_is_seen_once_and_told_for_a_day() -> None:
    clocks = Clocks()
    watch = clocks.watch()
    clocks.wall -= 7200
    jump = watch.look()
    assert jump is not None
    assert (jump.seconds, jump.noticed) == (-7200, clocks.wall)
    assert watch.look() is None
    clocks.pass_by(SHOWN_SECONDS - 1)
    assert "went back by 2 h 0 min" in watch.told()
    clocks.pass_by(2)
    assert watch.told() == ""
