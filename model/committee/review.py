"""Who decides a task: the committee, the teacher, or a person. One function, one task, no surprises."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from model.labels import HumanLabel
from model.teacher.base import Answer, State


class Source(StrEnum):
    """Who decided."""

    COMMITTEE = "committee"  # enough votes
    LLM = "llm"  # the teacher, on a task that the members disagree about
    FALLBACK = "fallback"  # the teacher failed; a strict majority of the members stands in
    PERSON = "person"
    UNRESOLVED = "unresolved"  # nobody yet: a person should


@dataclass(frozen=True, slots=True)
class Ruling:
    """The decision on a task. `candidates` is the shortlist for people; `hard` says that it enters the hard pool;
    `review` that a call of the teacher (the first or the one retry) is wanted."""

    label: str | None
    source: Source
    candidates: tuple[str, ...] = ()
    hard: bool = False
    review: bool = False


def settle(
    votes: Sequence[str | None],
    accepted: str | None,
    answer: Answer | None = None,
    human: HumanLabel | None = None,
    tries: int = 0,
) -> Ruling:
    """Decide one task.

    `votes` are the members' labels (None: abstained), `accepted` the label that the voting rule accepts, `answer` the
    teacher's latest answer and `tries` how often it was asked. A task that nobody settles is never given a default
    label. With neither an accepted label nor an answer, the ruling asks for a review; if the budget is used up it
    simply stays unresolved.
    """
    if human is not None and human.labels:
        final = human.labels[0] if len(human.labels) == 1 else None
        source = Source.PERSON if final else Source.UNRESOLVED
        return Ruling(final, source, human.labels, hard=accepted is None)
    if accepted is not None:
        return Ruling(accepted, Source.COMMITTEE, (accepted,))
    voted = tuple(label for label, _ in Counter(vote for vote in votes if vote is not None).most_common())
    if answer is None:
        return Ruling(None, Source.UNRESOLVED, voted, review=True)
    if answer.state is State.ANSWERED and answer.candidates is not None:
        return _reviewed(votes, answer.candidates.labels)
    return _failed(votes, voted, tries)


def _reviewed(votes: Sequence[str | None], candidates: tuple[str, ...]) -> Ruling:
    if len(candidates) == 1:
        return Ruling(candidates[0], Source.LLM, candidates, hard=True)
    inside = {vote for vote in votes if vote in candidates}
    majority = strict_majority(votes)
    if len(inside) == 1 and majority in inside:
        return Ruling(majority, Source.LLM, candidates, hard=True)
    return Ruling(None, Source.UNRESOLVED, candidates, hard=True)


def _failed(votes: Sequence[str | None], voted: tuple[str, ...], tries: int) -> Ruling:
    if tries < 2:
        return Ruling(None, Source.UNRESOLVED, voted, review=True)
    majority = strict_majority(votes)
    if majority is not None:
        return Ruling(majority, Source.FALLBACK, voted)
    return Ruling(None, Source.UNRESOLVED, voted)


def strict_majority(votes: Sequence[str | None]) -> str | None:
    """The label of more than half of all members (abstentions count against it), or None."""
    counts = Counter(vote for vote in votes if vote is not None)
    if not counts:
        return None
    label, count = counts.most_common(1)[0]
    return label if 2 * count > len(votes) else None
