"""About how many more decisions a promise takes: a forecast, never a bound.

The chance that each standing answer is wrong comes from the audit so far (isotonic fit of its errors on the student's
uncertainty), and before there is enough of one from the student's own probabilities, which is called rough.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from model.arrays import Doubles, IntArray
from model.promise.acceptance import acceptance_number
from model.promise.looks import Step

ENOUGH = 100  # audited tasks below which the student's own probabilities are used
RESAMPLED = 50  # audits drawn from the audit, for the range
ROUGH = (0.5, 2.0)  # by how much the student's own probabilities may be off
LEARNS = 0.3  # of the decisions that a look leaves, as many may be spared by what the student still learns
WORTH = 0.97  # of people's work: a look that cannot be hoped to spare them more is not worth it

FIGURES = ("decisions", "low", "high", "audit", "hoped")


@dataclass(frozen=True)
class Forecast:
    """Decisions on undecided tasks, audited ones included, that a promise takes in all, with the range in which nine of
    ten forecasts fall; `audit` is the size of the audit after which it is made. `rough`: not from an audit. `hoped` is
    what it takes if the student learns more meanwhile: the forecast alone knows nothing of that and ends too early."""

    decisions: int
    low: int
    high: int
    audit: int
    rough: bool
    hoped: int


def forecast(
    uncertainty: Doubles,
    audited: IntArray,
    wrong: Doubles,
    breaking: int,
    steps: Sequence[Step],
    risk: float,
    units: int = 1,
) -> Forecast:
    """From the uncertainties `(n,)` of all undecided tasks, in [0, 1]; which rows of them are audited `(m,)`, and which
    of these are wrong, as 0 or 1, or what they lose, in [0, 1] `(m,)`; `breaking` counts `units` of each whole loss.
    `steps` are the looks that may still come, with the tasks that are yet to be chosen before each, `risk` what each of
    them takes.
    """
    order = np.argsort(uncertainty, kind="stable")
    if len(audited) >= ENOUGH:
        draw = np.random.default_rng(len(audited))
        middle = _cost(_fitted(uncertainty, audited, wrong)[order], breaking, steps, risk, units)
        drawn = [draw.integers(0, len(audited), len(audited)) for _ in range(RESAMPLED)]
        others = [
            _cost(_fitted(uncertainty, audited[some], wrong[some])[order], breaking, steps, risk, units)[0]
            for some in drawn
        ]
        low, high = np.quantile(others, [0.05, 0.95])
        return Forecast(middle[0], min(middle[0], round(low)), max(middle[0], round(high)), middle[1], False, middle[2])
    shares = np.sort(uncertainty.astype(np.float64))
    middle, low, high = (
        _cost(np.minimum(1.0, factor * shares), breaking, steps, risk, units) for factor in (1.0, *ROUGH)
    )
    return Forecast(middle[0], min(low[0], middle[0]), max(high[0], middle[0]), middle[1], True, middle[2])


def together(found: Mapping[str, Sequence[Forecast]], others: Mapping[str, int]) -> Forecast:
    """One forecast of those of all parts, by question: the labels of a question one after the other, and the `others`
    of its tasks, which belong to none; of the questions, whose answers are left in one order, the one that takes most.
    """
    by_question = [
        [sum(getattr(part, name) for part in parts) + (others[question] if name != "audit" else 0) for name in FIGURES]
        for question, parts in found.items()
    ]
    most = {name: max(column) for name, column in zip(FIGURES, zip(*by_question, strict=True), strict=True)}
    return Forecast(**most, rough=any(part.rough for parts in found.values() for part in parts))


def hoped(
    uncertainty: Doubles, audited: IntArray, wrong: Doubles, breaking: int, steps: Sequence[Step], risk: float
) -> int:
    """The forecast's figure of that name alone, without the range."""
    order = np.argsort(uncertainty, kind="stable")
    enough = len(audited) >= ENOUGH
    shares = _fitted(uncertainty, audited, wrong) if enough else np.minimum(1.0, uncertainty)
    return _cost(shares[order].astype(np.float64), breaking, steps, risk)[2]


def _fitted(uncertainty: Doubles, audited: IntArray, wrong: Doubles) -> Doubles:
    """The chance `(n,)` that each answer is wrong, shrunk by one more error over the whole audit."""
    from sklearn.isotonic import IsotonicRegression

    fit = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip")
    found = np.asarray(fit.fit(uncertainty[audited], wrong).predict(uncertainty), np.float64)
    number = len(audited)
    shares: Doubles = (number * found + 1.0) / (number + 1.0)
    return shares


def _cost(shares: Doubles, breaking: int, steps: Sequence[Step], risk: float, units: int = 1) -> tuple[int, int, int]:
    """(decisions, audit, decisions hoped for): the cheapest of the looks to come, if errors fall as expected, and the
    cheapest if the student learns; `shares` surest first. Scores choose the least sure."""
    number, expected = len(shares), np.cumsum(shares)
    best, hoped = (number, number), number
    for more, size in steps:
        left = number - more
        if left < size:
            continue
        accepted = acceptance_number(left, breaking, size, risk, units)
        most = (accepted + 1.0) / units
        kept = int(np.searchsorted(expected[:left] * size / left, most, side="left")) if accepted >= 0 else 0
        cost = round(size * kept / left + number - kept)
        best = min(best, (cost, size))
        hoped = min(hoped, round(cost - LEARNS * max(0, cost - more - size)))
    return *best, hoped


def worth_going_on(hoped: int, now: int) -> bool:
    """Whether more looks are, where people decide so many tasks by the best one until now."""
    return hoped < WORTH * now


def rounded(number: int) -> int:
    """To two digits, as forecasts are told."""
    step = 10 ** max(0, len(str(number)) - 2)
    return int(round(number / step) * step)
