"""How far each person agrees with the others who labelled the same tasks: no ranking, and no names for everybody."""

from __future__ import annotations

from typing import Any

from backend.pool.tallies import Tallies
from backend.pool.votes import against_others, shared_votes
from backend.projects.current import Current
from backend.reporting.kept import kept
from model.evaluation import rate

LEAST = 20  # tasks that somebody must share with others before anything is said of them
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def annotators(current: Current, named: bool = False, now: Tallies | None = None) -> list[dict[str, Any]]:
    """Everybody with enough shared tasks, in the order of their number at Label Studio: the share of tasks in which
    they say what most of the others say, with its interval. `named`: by that number (`user`), else as annotator A, B.
    `now` as for `kept`."""
    counts = kept(current, "annotators", lambda: _counts(current), now, ("annotations",))
    return [
        {"agrees": found.to_json()}
        | ({"name": f"user {who}", "user": who} if named else {"name": f"annotator {_letter(place)}"})
        for place, (who, (agreed, number)) in enumerate(sorted(counts.items()))
        if number >= LEAST and (found := rate(agreed, number)) is not None
    ]


def _counts(current: Current) -> dict[int, tuple[int, int]]:
    if current.project.space is None or current.project.space.several:
        return {}
    return against_others(shared_votes(current.engine, current.number))


def _letter(place: int) -> str:
    """A to Z, then AA, AB and so on."""
    first, last = divmod(place, len(LETTERS))
    return (LETTERS[first - 1] if first else "") + LETTERS[last]
