"""Several opinions become one candidate set: self-consistency of one LLM, or a panel of several teachers.

CanDist's comparison (arXiv 2506.03857, section 5): SC-1 is the label with most votes, SC-k the k with most, SC-All the
union. A vote is being named; ties go by the order of the label space.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence

from model.group_answers import joined, within
from model.labels import CandidateSet, LabelSpace
from model.teacher.base import Answer, State, Teacher, Usage
from model.teacher.errors import TeacherError, again


def vote_certain(sets: Sequence[CandidateSet], space: LabelSpace, keep: int | None = None) -> CandidateSet | None:
    """Where several labels may be right: certain is what more than half of the sets have as certain, possible what any
    other set names, at most `keep` of these; confidences are shares of the sets that name a label. None without sets.
    """
    if not sets:
        return None
    sure = Counter(name for one in sets for name in one.certain or ())
    named = Counter(name for one in sets for name in one.labels)
    ranked = sorted(named, key=lambda name: (-sure[name], -named[name], space.index(name)))
    certain = tuple(name for name in ranked if 2 * sure[name] > len(sets))
    labels = certain + tuple(name for name in ranked if name not in certain)[:keep]
    return CandidateSet(labels, tuple(named[name] / len(sets) for name in labels), certain)


def vote(sets: Sequence[Sequence[str]], space: LabelSpace, keep: int | None = None) -> CandidateSet | None:
    """The labels named by most sets, at most `keep` of them; confidences are shares of the sets. None without sets."""
    if not sets:
        return None
    counts = Counter(name for names in sets for name in dict.fromkeys(names))
    ranked = sorted(counts, key=lambda name: (-counts[name], space.index(name)))[:keep]
    return CandidateSet(tuple(ranked), tuple(counts[name] / len(sets) for name in ranked))


class Panel:
    """Asks every member about every text and lets them vote; members that abstain have no vote.

    A text is answered if at least one member names a label. If a member cannot go on, texts that all members answered
    are in the error's `partial`, and `spent` is what all of them cost.
    """

    paid = True
    fast = False

    def __init__(self, name: str, members: Sequence[Teacher], space: LabelSpace, keep: int | None = None) -> None:
        if not members:
            raise ValueError("a panel needs at least one member")
        self.name, self.members, self._space, self._keep = name, tuple(members), space, keep
        self.paid = any(member.paid for member in members)
        self.hash = panel_hash([member.hash for member in members], keep)

    def shortlist(self, texts: Sequence[str]) -> list[Answer]:
        """One answer per text, with the share of votes as confidence."""
        given: list[list[Answer]] = []
        for member in self.members:
            try:
                given.append(member.shortlist(texts))
            except TeacherError as error:
                raise self._failed(error, given, texts) from None
        return [self._join(answers) for answers in zip(*given, strict=True)] if texts else []

    def upper_bound_microusd(self, texts: Sequence[str]) -> int:
        """The sum over the members."""
        return sum(member.upper_bound_microusd(texts) for member in self.members)

    def _failed(self, error: TeacherError, given: list[list[Answer]], texts: Sequence[str]) -> TeacherError:
        spent = sum((answer.usage for answers in given for answer in answers), error.spent or Usage())
        complete = len(given) == len(self.members) - 1
        partial = {
            place: self._join([*(answers[place] for answers in given), answer])
            for place, answer in error.partial.items()
            if complete
        }
        return again(error, str(error), partial, spent)

    def _join(self, answers: Sequence[Answer]) -> Answer:
        usage = sum((answer.usage for answer in answers), Usage())
        raw = json.dumps([answer.raw for answer in answers], ensure_ascii=False)
        sets = [answer.candidates for answer in answers if answer.candidates]
        found = joined(self._space, [self._vote(place, part, sets) for place, part in enumerate(self._space.parts)])
        if found is not None:
            silent = len(answers) - len(sets)
            reason = f"{silent} of {len(answers)} opinions named no label" if silent else ""
            return Answer(State.ANSWERED, found, raw, usage, reason)
        states = {answer.state for answer in answers}
        state = next((one for one in (State.ABSTAINED, State.REFUSED) if one in states), State.UNPARSED)
        return Answer(state, None, raw, usage, answers[0].reason)

    def _vote(self, place: int, part: LabelSpace, sets: Sequence[CandidateSet]) -> CandidateSet | None:
        """The vote about one question (`part` of the label space)."""
        said = [one for found in sets if (one := within(self._space, place, found)) is not None]
        if part.several:
            return vote_certain(said, part, self._keep)
        return vote([one.labels for one in said], part, self._keep)


def panel_hash(hashes: Sequence[str], keep: int | None) -> str:
    """Six hex digits over the members, in order, and the rule of the vote."""
    return hashlib.sha256(json.dumps([list(hashes), keep]).encode()).hexdigest()[:6]
