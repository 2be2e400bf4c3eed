"""Decisions of people that are worth a second look, for status, page and command."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from backend.pool import doubts, tasks
from backend.pool.doubts import Doubt
from backend.pool.tallies import Tallies
from backend.projects.current import Current
from backend.reporting.kept import kept

KINDS = ("doubts", "annotations", "tasks")  # tables that it is read from
ON_PAGE = 20
LONGEST = 300  # characters of a text
WHY = {
    "twins": "the same text, or nearly the same, was decided otherwise",
    "others": "similar texts and the teacher say otherwise",
}


@dataclass(frozen=True)
class Similar:
    """A decided task beside a doubt."""

    task: int
    text: str
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Look:
    """One decision, with what is needed to judge it."""

    task: int
    text: str
    labels: tuple[str, ...]
    said: tuple[str, ...]
    why: str
    similar: tuple[Similar, ...]


def second_look(current: Current, now: Tallies | None = None) -> dict[str, Any]:
    """What is worth a second look, and what came of the looks so far; `now` as for `kept`."""
    return kept(current, "second look", lambda: _second_look(current), now, KINDS)


def _second_look(current: Current) -> dict[str, Any]:
    found = doubts.of_project(current.engine, current.number)
    waiting = [one for one in found if one.state == "open"]
    changed = sum(one.state == "changed" for one in found)
    rows = [
        {"task": one.task, "labels": list(one.labels), "said": list(one.said), "why": one.kind,
         "margin": round(one.margin, 4), "similar": list(one.near)}
        for one in waiting
    ]  # fmt: skip
    looked = len(found) - len(waiting)
    return {"decisions": rows, "looked": looked, "changed": changed, "sentence": _sentence(waiting, looked, changed)}


def _sentence(waiting: list[Doubt], looked: int, changed: int) -> str | None:
    """None where there is nothing to say."""
    so_far = f"Of {looked} looked at so far, {changed} {'was' if changed == 1 else 'were'} changed" if looked else ""
    if not waiting:
        return f"No decision is worth a second look now. {so_far}" if so_far else None
    twins = sum(one.kind == "twins" for one in waiting)
    told = f"{len(waiting)} {'decision is' if len(waiting) == 1 else 'decisions are'} worth a second look"
    rest = len(waiting) - twins
    why = [(twins, "on equal texts that were decided differently"),
           (rest, "doubted by a model that has not learned them, and by the teacher")]  # fmt: skip
    parts = [what if number == len(waiting) else f"{number} {what}" for number, what in why if number]
    return ". ".join(filter(None, [f"{told}: {', '.join(parts)}", so_far]))


def looks(current: Current, most: int = ON_PAGE) -> list[Look]:
    """The decisions that wait for a look, duplicates first, with texts."""
    waiting = [one for one in doubts.of_project(current.engine, current.number) if one.state == "open"][:most]
    near = {task for one in waiting for task in one.near}
    texts = tasks.texts(current.engine, current.number, {one.task for one in waiting} | near)
    said = doubts.decided(current.engine, current.number, near)
    return [
        Look(one.task, texts[one.task][:LONGEST], one.labels, one.said, WHY[one.kind], tuple(
            Similar(task, texts[task][:LONGEST], said[task].labels) for task in one.near
            if task in texts and task in said and said[task].labels))
        for one in waiting if one.task in texts
    ]  # fmt: skip
