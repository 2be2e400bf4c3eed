"""A clock that is set is noticed by one that cannot be."""

from __future__ import annotations

import pytest

from backend.queue.clock_watch import ClockWatch


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
    assert watch.look() is None
    clocks.wall += seconds
    jump = watch.look()
    assert (str(jump)[: len(said)] if jump else "") == said
    assert watch.look() is None  # each is seen once


def test_a_jump_says_when_it_was_noticed() -> None:
    clocks = Clocks()
    watch = clocks.watch()
    clocks.wall -= 7200
    jump = watch.look()
    assert jump is not None
    assert (jump.seconds, jump.noticed) == (-7200, clocks.wall)
    assert str(jump).endswith("(noticed at 2027-01-15 06:00 UTC)")
