"""Who decides a task: the committee, the teacher, or a person. One function, one task, no surprises."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from model.teacher.base import Answer, State


class Source(StrEnum):
    """Who decided."""

    COMMITTEE = "committee"  # enough votes
    LLM = "llm"  # the teacher, on a task that the members disagree about
    FALLBACK = "fallback"  # the teacher failed; a strict majority of the members stands in
    PEOPLE = "people"  # nobody: unlikely to be right, and a call would not help; a person should
    UNRESOLVED = "unresolved"  # nobody yet: the teacher, or else a person, should


@dataclass(frozen=True, slots=True)
class Ruling:
    """The decision on a task. `candidates` is the shortlist for people."""

    label: str | None
    source: Source
    candidates: tuple[str, ...] = ()


def settle(votes: Sequence[str | None], accepted: str | None, answer: Answer | None = None) -> Ruling:
    """Decide one task that no person decided.

    `votes` are the members' labels (None: abstained), `accepted` the label that the voting rule accepts, `answer` the
    teacher's final answer. A task that nobody settles stays unresolved; it is never given a default label.
    """
    if accepted is not None:
        return Ruling(accepted, Source.COMMITTEE, (accepted,))
    voted = tuple(label for label, _ in Counter(vote for vote in votes if vote is not None).most_common())
    if answer is None:
        return Ruling(None, Source.UNRESOLVED, voted)
    if answer.state is State.ANSWERED and answer.candidates is not None:
        return _reviewed(votes, answer.candidates.labels)
    majority = strict_majority(votes)
    return Ruling(majority, Source.FALLBACK if majority else Source.UNRESOLVED, voted)


def _reviewed(votes: Sequence[str | None], candidates: tuple[str, ...]) -> Ruling:
    if len(candidates) == 1:
        return Ruling(candidates[0], Source.LLM, candidates)
    inside = {vote for vote in votes if vote in candidates}
    majority = strict_majority(votes)
    if len(inside) == 1 and majority in inside:
        return Ruling(majority, Source.LLM, candidates)
    return Ruling(None, Source.UNRESOLVED, candidates)


def strict_majority(votes: Sequence[str | None]) -> str | None:
    """The label of more than half of all members (abstentions count against it), or None."""
    counts = Counter(vote for vote in votes if vote is not None)
    if not counts:
        return None
    label, count = counts.most_common(1)[0]
    return label if 2 * count > len(votes) else None
