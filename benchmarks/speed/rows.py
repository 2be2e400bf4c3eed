"""One measurement of speed, and how ratios are taken: within a round, then the median over rounds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

Row = dict[str, Any]


def row(what: str, method: str, value: float, unit: str, seed: int = 0, **more: object) -> Row:
    """A flat row of the result file; `seed` is the number of the round."""
    return {"what": what, "method": method, "seed": seed, "value": value, "unit": unit, **more}


def interleaved(rounds: int, ways: dict[str, Callable[[], float]]) -> dict[str, list[float]]:
    """What each way measures in each round; the order turns with every round, so that drift and neighbours even out."""
    found: dict[str, list[float]] = {name: [] for name in ways}
    names = list(ways)
    for number in range(rounds):
        for name in names if number % 2 == 0 else reversed(names):
            found[name].append(ways[name]())
    return found


def ratio(above: Sequence[float], below: Sequence[float]) -> float:
    """Median of the ratios of each round."""
    return median(one / other for one, other in zip(above, below, strict=True))


def spread(values: Sequence[float]) -> tuple[float, float]:
    """Smallest and largest."""
    return min(values), max(values)


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of the values lie (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
