"""What a decision takes people, by what was ticked before: seconds and clicks, how far ticks sway, what to change."""

from __future__ import annotations

from typing import Any

from backend.pool.tallies import Tallies
from backend.projects.current import Current
from backend.projects.decisions import SWAYS, Figures, better_way, by_kind, swayed
from backend.projects.options import can_show
from backend.reporting.kept import kept

NAMES = {"shortlist": "a shortlist", "single": "one label", "answers": "answers", "nothing": "nothing"}


def decision_times(current: Current, now: Tallies | None = None) -> dict[str, Any]:
    """Figures by kind, how far ticks sway, and sentences; `now` as for `kept`."""
    tables = ("annotations", "tasks", "predictions")
    return kept(current, "decision times", lambda: _decision_times(current), now, tables)


def _decision_times(current: Current) -> dict[str, Any]:
    rows, sway = by_kind(current), swayed(current)
    told = [*_time_words(rows), *_sway_words(sway)]
    return {"kinds": rows, "sway": sway, "sentences": told, "advice": advice(rows, sway, current)}


def _time_words(rows: Figures) -> list[str]:
    if not rows:
        return []
    parts = [
        f"with {NAMES[kind]} ticked {row['seconds']:g} s ({row['low']:g} to {row['high']:g}; {row['clicks']:g} clicks; "
        f"{row['decisions']:,} decisions)"
        for kind, row in rows.items()
    ]
    breaks = sum(row["breaks"] for row in rows.values())
    limits = sorted({f"{row['break_seconds']:.0f}" for row in rows.values()}, key=float)
    over = " or ".join(filter(None, [", ".join(limits[:-1]), *limits[-1:]]))
    cut = f"; {breaks:,} that took longer than {over} s were breaks and do not count" if breaks else ""
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


def advice(rows: Figures, sway: dict[str, Any] | None, current: Current) -> str | None:
    """Which way of showing to choose, or which one is chosen; None where ticks cost no more than they help."""
    ticks = current.project.ticks
    if current.options.TICKS == "auto" and ticks and can_show(current.control, ticks):
        how = "nothing is ticked" if ticks == "none" else "one label is ticked"
        return f"Ticks cost more than they help here: with TICKS=auto {how}, from the next version on"
    way = better_way(rows, sway)
    if way and current.space.several:
        return f"Ticked answers {'sway people' if _sways(sway) else 'take longer than none'}: set a larger BLIND_SHARE"
    if way == "one":
        return f"Shortlists take longer than they save: set MAX_CANDIDATES below {current.options.MAX_CANDIDATES}"
    if way == "none" and _sways(sway):
        config = "the label config one-label (`shortlist template one-label`)"
        return f"Ticks sway people: {config} with PRESELECT=false lists labels unticked"
    return "A ticked label takes longer than none: set PRESELECT=false, or a larger BLIND_SHARE" if way else None


def _sways(sway: dict[str, Any] | None) -> bool:
    return sway is not None and sway["low"] > SWAYS
