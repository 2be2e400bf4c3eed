"""What of a decision and of an answer can be compared: of several questions those that the person answered."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from backend.pool.annotation import Meaning
from backend.pool.standing import known
from model.group_answers import answer_of, answered, limited
from model.labels import CandidateSet, LabelSpace


class Seen(NamedTuple):
    """What a person decided, and what was proposed: all that is possible, and what is certain where an answer is a set
    of labels (None where it is one)."""

    decided: Sequence[str]
    shown: Sequence[str]
    certain: Sequence[str] | None


def comparable(ticks: Meaning, names: Collection[str] | None, seen: Seen) -> Seen | None:
    """A decision and an answer as they are compared; None where they cannot be, because a label is gone.

    Of several questions, only those that the person decided; what is certain is then what would be ticked.
    """
    if ticks.space is None:
        return seen if known(seen.decided, names) else None
    space = ticks.space
    groups = [group for group in answered(space, seen.decided) if _decided(space, group.start, seen.decided)]
    if not groups:
        return None
    shown = tuple(label for label in dict.fromkeys(seen.shown) if label in space)
    sure = tuple(label for label in seen.certain or () if label in shown)
    said = answer_of(space, CandidateSet(sure + tuple(label for label in shown if label not in sure), (), sure))
    parts = (limited(space, labels, groups) for labels in (seen.decided, shown, said))
    return Seen(*parts)


def _decided(space: LabelSpace, start: int, labels: Sequence[str]) -> bool:
    """Whether the question that begins at `start` has its answer: several ticks of one label are none."""
    own = [label for label in labels if label in space and space.group_of[label].start == start]
    return len(own) == 1 or space.group_of[own[0]].kind == "any"
