"""What a decision takes people, by what was ticked before: seconds and clicks, how far ticks sway, what to change."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, median
from typing import Any

from backend.errors import ShortlistError
from backend.pool import lead_times, shown
from backend.pool.lead_times import Timed
from backend.pool.tallies import Tallies
from backend.projects.current import Current
from backend.reporting.kept import kept
from model.evaluation import Z95, Rate, rate

KINDS = {"shortlist": "a shortlist", "single": "one label", "nothing": "nothing"}
BREAK = 3.0  # robust standard deviations above the median of the logarithms, from which a time is a break
LEAST_SPREAD = 0.25  # of the logarithms: times that hardly differ are not cut closer
FEWEST = 20  # timed decisions of a kind, below which nothing is said of it
SWAYS = 0.05  # share of decisions that ticks change at least, before anything is advised


def decision_times(current: Current, now: Tallies | None = None) -> dict[str, Any]:
    """Figures by kind, how far ticks sway, and sentences; `now` as for `kept`."""
    tables = ("annotations", "tasks", "predictions")
    return kept(current, "decision times", lambda: _decision_times(current), now, tables)


def _decision_times(current: Current) -> dict[str, Any]:
    timed = lead_times.first_decisions(current.engine, current.number)
    groups = {kind: [one for one in timed if kind_of(one) == kind] for kind in KINDS}
    rows = {kind: _figures(found, _radio(current)) for kind, found in groups.items() if len(found) >= FEWEST}
    sway = _sway(current)
    told = [*_time_words(rows), *_sway_words(sway)]
    advised = advice(rows, sway, current)
    return {"kinds": rows, "sway": sway, "sentences": told,
            "advice": advised}  # fmt: skip


def kind_of(one: Timed) -> str:
    """What was ticked before the decision: several labels, one, or none."""
    return "nothing" if not one.shown else "single" if len(one.shown) == 1 else "shortlist"


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


def _figures(all_: Sequence[Timed], radio: bool) -> dict[str, Any]:
    limit = break_after([one.seconds for one in all_])
    found = [one for one in all_ if one.seconds <= limit]
    middle, low, high = median_interval([one.seconds for one in found])
    clicks = fmean(1 + _changes(one, radio) for one in found)
    cut = {"breaks": len(all_) - len(found), "break_seconds": round(limit, 1)}
    times = {"seconds": round(middle, 1), "low": round(low, 1), "high": round(high, 1)}
    return {"decisions": len(found), **cut, **times, "clicks": round(clicks, 2)}


def _changes(one: Timed, radio: bool) -> int:
    """Clicks on labels: of radio buttons one is enough."""
    changed = len(set(one.shown) ^ set(one.decided))
    return min(1, changed) if radio else changed


def _radio(current: Current) -> bool:
    """Whether labels are chosen by radio buttons."""
    return current.project.space is not None and not current.control.multiple


def _sway(current: Current) -> dict[str, Any] | None:
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


def _time_words(rows: dict[str, dict[str, Any]]) -> list[str]:
    if not rows:
        return []
    parts = [
        f"with {KINDS[kind]} ticked {row['seconds']:g} s ({row['low']:g} to {row['high']:g}; {row['clicks']:g} clicks; "
        f"{row['decisions']:,} decisions)"
        for kind, row in rows.items()
    ]
    breaks = sum(row["breaks"] for row in rows.values())
    limits = sorted({f"{row['break_seconds']:.0f}" for row in rows.values()}, key=float)
    cut = f"; {breaks:,} that took longer than {' or '.join(limits)} s were breaks and do not count" if breaks else ""
    return [f"A decision takes, in the median with its 95 % interval: {', '.join(parts)}{cut}"]


def _sway_words(sway: dict[str, Any] | None) -> list[str]:
    if sway is None:
        return []
    seen, hidden = sway["ticked"], sway["hidden"]
    value, low, high = (f"{100 * sway[name]:.0f}" for name in ("sway", "low", "high"))
    return [
        f"People gave the student's label in {100 * seen['value']:.0f} % of {seen['count']:,} tasks where it was "
        f"ticked, and in {100 * hidden['value']:.0f} % of {hidden['count']:,} where it was hidden at random: ticks "
        f"change {value} of 100 decisions (95 % interval {low} to {high})"
    ]


def advice(rows: dict[str, dict[str, Any]], sway: dict[str, Any] | None, current: Current) -> str | None:
    """Which way of showing to choose, where one costs more than it helps beyond chance; None where none does."""
    blank = rows.get("nothing")
    if sway is not None and sway["low"] > SWAYS:
        way = "the label config one-label (`shortlist template one-label`) with PRESELECT=false lists labels unticked"
        return f"Ticks sway people: {way}"
    many, one = rows.get("shortlist"), rows.get("single")
    if many and blank and many["low"] > blank["high"]:
        return f"Shortlists take longer than they save: set MAX_CANDIDATES below {current.options.MAX_CANDIDATES}"
    if one and blank and one["low"] > blank["high"]:
        return "A ticked label takes longer than none: set PRESELECT=false, or a larger BLIND_SHARE"
    return None
