"""What decisions take people, by what was ticked before: seconds and clicks, how far ticks sway, what follows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, median
from typing import Any, Literal, TypeAlias

from backend.errors import LabelingConfigError, ShortlistError
from backend.pool import lead_times, shown
from backend.pool.lead_times import Timed
from backend.projects.current import Current
from model.evaluation import Z95, Rate, rate
from model.labels import LabelSpace

Way: TypeAlias = Literal["", "one", "none"]  # how many labels are ticked: as the options say, one at most, none
KINDS = ("shortlist", "single", "answers", "nothing")
BREAK = 3.0  # robust standard deviations above the median of the logarithms, from which a time is a break
LEAST_SPREAD = 0.25  # of the logarithms: times that hardly differ are not cut closer
FEWEST = 20  # timed decisions of a kind, below which nothing is said of it
SWAYS = 0.05  # share of decisions that ticks change at least, before anything follows
Figures: TypeAlias = dict[str, dict[str, Any]]
Form: TypeAlias = tuple[frozenset[str], bool]  # a question's labels, and whether they are boxes to tick


def by_kind(current: Current) -> Figures:
    """Seconds, clicks, decisions and breaks of every kind of which there are enough."""
    timed, space = lead_times.first_decisions(current.engine, current.number), current.project.space
    if space is None:
        return {}
    groups = {kind: [one for one in timed if kind_of(one, several=space.several) == kind] for kind in KINDS}
    enough = {kind: found for kind, found in groups.items() if len(found) >= FEWEST}
    forms = _forms(current, space) if enough else []
    return {kind: _figures(found, forms) for kind, found in enough.items()}


def _forms(current: Current, space: LabelSpace) -> list[Form]:
    """Every question's; of a label config that became unreadable meanwhile what its labels tell."""
    try:
        boxes = [question.multiple for question in current.control.questions]
    except LabelingConfigError:
        boxes = [group.kind == "any" for group in space.groups]
    return [(frozenset(space.names[group.columns]), box) for group, box in zip(space.groups, boxes, strict=True)]


def better_way(rows: Figures, sway: dict[str, Any] | None) -> Way:
    """What to tick, where ticks cost more than they help beyond chance; "" where they do not."""
    blank, many, one = (rows.get(kind) for kind in ("nothing", "shortlist", "single"))
    one = one or rows.get("answers")
    if sway is not None and sway["low"] > SWAYS:
        return "none"
    if one and blank and one["low"] > blank["high"]:
        return "none"
    return "one" if many and blank and many["low"] > blank["high"] else ""


def kind_of(one: Timed, *, several: bool) -> str:
    """What was ticked before the decision: several labels, one, or none; where `several` may be right, or there are
    several questions, their answers or none."""
    if not one.shown:
        return "nothing"
    return "answers" if several else "single" if len(one.shown) == 1 else "shortlist"


def break_after(seconds: Sequence[float]) -> float:
    """Seconds above which a decision of one kind was interrupted: BREAK robust standard deviations (1.4826 times the
    median absolute deviation) above the median, of the logarithms. Infinite for none."""
    if not seconds:
        return math.inf
    logs = [math.log(one) for one in seconds]
    middle = median(logs)
    spread = 1.4826 * median(abs(one - middle) for one in logs)
    return math.exp(middle + BREAK * max(spread, LEAST_SPREAD))


def median_interval(seconds: Sequence[float]) -> tuple[float, float, float]:
    """The median and its 95 % interval, by order statistics: the ranks n / 2 -+ 1.96 sqrt(n) / 2."""
    ordered, number = sorted(seconds), len(seconds)
    reach = Z95 * math.sqrt(number) / 2
    low, high = max(0, math.floor(number / 2 - reach)), min(number - 1, math.ceil(number / 2 + reach))
    return median(ordered), ordered[low], ordered[high]


def _figures(all_: Sequence[Timed], forms: Sequence[Form]) -> dict[str, Any]:
    limit = break_after([one.seconds for one in all_])
    found = [one for one in all_ if one.seconds <= limit]
    middle, low, high = median_interval([one.seconds for one in found])
    clicks = fmean(1 + _changes(one, forms) for one in found)
    cut = {"breaks": len(all_) - len(found), "break_seconds": round(limit, 1)}
    times = {"seconds": round(middle, 1), "low": round(low, 1), "high": round(high, 1)}
    return {"decisions": len(found), **cut, **times, "clicks": round(clicks, 2)}


def _changes(one: Timed, forms: Sequence[Form]) -> int:
    """Clicks on labels: of radio buttons one is enough."""
    changed = set(one.shown) ^ set(one.decided)
    return sum(len(changed & own) if boxes else min(1, len(changed & own)) for own, boxes in forms)


def swayed(current: Current) -> dict[str, Any] | None:
    """How often people give the student's label where it is ticked, and where the same share is hidden at random."""
    try:
        blind = shown.blind_student(current.engine, current.number, current.blind_share)
    except ShortlistError:
        return None
    ticked = shown.ticked_student(current.engine, current.number)
    seen, hidden = rate(ticked.top1, ticked.tasks), rate(blind.top1, blind.tasks)
    if seen is None or hidden is None or min(seen.count, hidden.count) < FEWEST:
        return None
    low, high = difference(seen, hidden)
    return {"ticked": seen.to_json(), "hidden": hidden.to_json(), "sway": seen.value - hidden.value, "low": low,
            "high": high}  # fmt: skip


def difference(one: Rate, other: Rate) -> tuple[float, float]:
    """The 95 % interval of one share less another (Newcombe, Statistics in Medicine 17, 1998, method 10)."""
    middle = one.value - other.value
    below = math.hypot(one.value - one.low, other.high - other.value)
    above = math.hypot(one.high - one.value, other.value - other.low)
    return middle - below, middle + above
