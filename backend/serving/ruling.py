"""Who decides a task of a committee: its votes (setting VOTING), the teacher's stored answer, or a person.

What nobody settles keeps the committee's most likely label and a shortlist for people, served by SERVE_UNSURE.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from backend.pool import candidates, rulings
from backend.pool.standing import about
from backend.pool.text import text_hash
from backend.projects.current import Current
from backend.serving.answers import StudentAnswer
from model.labels import CandidateSet

if TYPE_CHECKING:
    from model.arrays import FloatArray, IntArray
    from model.committee.committee import Committee
    from model.committee.reviewer import Reviewer
    from model.committee.ruling import Ruling
    from model.committee.voting import Tally
    from model.teacher.base import Answer as TeacherAnswer

CONFIDENT = 0.8  # probability at which weighted votes decide, while nothing is known about the teacher's worth
LIKELY = 0.5  # probability from which weighted votes and the teacher's answer together decide


class Decided(NamedTuple):
    """A ruling, and how likely its label is where it is not the committee's own."""

    ruling: Ruling
    score: float


@dataclass(frozen=True)
class Votes:
    """What members and teacher say of n tasks: the members' probabilities `(k, n, C)`, counted and pooled `(n, C)`, and
    the teacher's stored reply of each (None: it was not asked about this text)."""

    members: FloatArray
    counts: Tally
    pooled: FloatArray
    said: list[candidates.Stored | None]

    def labels(self, names: Sequence[str], place: int) -> list[str | None]:
        """The members' labels for one task, None where a member abstains."""
        return [names[vote] if vote >= 0 else None for vote in self.counts.votes[:, place].tolist()]


def ruled(
    current: Current, version: str, committee: Committee, ids: Sequence[int], texts: Sequence[str],
    found: Sequence[StudentAnswer],
) -> list[StudentAnswer]:  # fmt: skip
    """The committee's answers `found` as they are served; who decided each task is written down."""
    votes = counted(current, committee, ids, texts)
    voting = current.options.VOTING
    decided = decisions(voting, committee, votes, accepted(voting, committee, votes))
    unions = committee.union(votes.members)
    sources = {task: str(decided[place].ruling.source) for place, task in enumerate(ids)}
    rulings.save(current.engine, current.number, version, sources)
    return [
        _served(answer, decided[place], unions[place] if votes.said[place] is None else None)
        for place, answer in enumerate(found)
    ]


def counted(current: Current, committee: Committee, ids: Sequence[int], texts: Sequence[str]) -> Votes:
    """Let the members vote, and look up what the teacher said."""
    from model.committee.voting import tally

    members = committee.all_probabilities(texts)
    stored = candidates.read(current.engine, current.number, current.teacher_version, list(ids))
    there = about(stored, {task: text_hash(text) for task, text in zip(ids, texts, strict=True)})
    said = [stored[task] if task in there else None for task in ids]
    return Votes(members, tally(members, committee.space.answer), committee.pooled(members), said)


def decisions(voting: str, committee: Committee, votes: Votes, sure: IntArray) -> dict[int, Decided]:
    """By place, who decided and what; `sure` are the label numbers that the votes accept `(n,)`, -1 for none."""
    found = settled(committee, votes, sure)
    reviewer = committee.reviewer if voting == "weighted" else None
    if reviewer is None:
        return found
    return found | doubtful(committee, votes, sure) | together(committee, votes, sure, reviewer)


def doubtful(committee: Committee, votes: Votes, sure: IntArray) -> dict[int, Decided]:
    """By place, the tasks for which a call is not worth it although the votes are more likely wrong than right: they
    are left to people."""
    from model.committee.ruling import Ruling, Source

    names, found = committee.space.names, dict[int, Decided]()
    for place, row in enumerate(votes.said):
        score = float(votes.pooled[place].max())
        if row is None and sure[place] >= 0 and score < LIKELY:
            voted = dict.fromkeys(label for label in votes.labels(names, place) if label is not None)
            found[place] = Decided(Ruling(None, Source.PEOPLE, tuple(voted)), score)
    return found


def settled(committee: Committee, votes: Votes, sure: IntArray) -> dict[int, Decided]:
    """By place: the votes, else the teacher's one label, as it stands."""
    from model.committee.ruling import Source, settle

    names = committee.space.names
    found: dict[int, Decided] = {}
    for place, row in enumerate(votes.said):
        label = names[sure[place]] if sure[place] >= 0 else None
        ruling = settle(votes.labels(names, place), label, None if row is None else _teacher_answer(row.reply))
        teacher = row.candidates if row is not None and ruling.source is Source.LLM else None
        found[place] = Decided(ruling, teacher.score if teacher else float(votes.counts.confidence[place]))
    return found


def together(committee: Committee, votes: Votes, sure: IntArray, reviewer: Reviewer) -> dict[int, Decided]:
    """By place, the tasks that the teacher answered: members and teacher, each with the weight people's labels give.

    What is unlikely even so goes to people, with the teacher's labels as the shortlist.
    """
    import numpy as np

    from model.committee.pooling import member_evidence
    from model.committee.ruling import Ruling, Source
    from model.decoding import chosen

    space = committee.space
    tops = [row.candidates.top if row is not None and row.candidates is not None else None for row in votes.said]
    answers = np.array([space.index(top) if top is not None and top in space else -1 for top in tops], np.int64)
    chances = reviewer.posterior([member_evidence(part) for part in votes.members], answers)
    bests = chosen(space.answer, chances)
    found: dict[int, Decided] = {}
    for place in np.flatnonzero(answers >= 0).tolist():
        best = int(bests[place])
        score, label = float(chances[place, best]), space.names[best]
        row = votes.said[place]
        listed = row.candidates.labels if row is not None and row.candidates is not None else ()
        if score < LIKELY:
            ruling = Ruling(None, Source.UNRESOLVED, tuple(dict.fromkeys([label, *listed])))
        else:
            ruling = Ruling(label, Source.COMMITTEE if sure[place] == best else Source.LLM, (label,))
        found[place] = Decided(ruling, score)
    return found


def accepted(voting: str, committee: Committee, votes: Votes) -> IntArray:
    """The label number that the votes accept `(n,)`, -1 where a review is wanted."""
    import numpy as np

    from model.committee.reviewer import PRICE
    from model.committee.voting import KOfN, Weighted
    from model.decoding import chosen

    if voting != "weighted":
        count = len(votes.members)
        return KOfN(count, count if voting == "unanimous" else count // 2 + 1).accepted(votes.counts)
    reviewer = committee.reviewer
    if reviewer is None:
        return Weighted(CONFIDENT).accepted(votes.pooled)
    enough = reviewer.worth_asking(votes.pooled) <= PRICE
    return np.where(enough, chosen(committee.space.answer, votes.pooled), -1).astype(np.int64)


def _teacher_answer(reply: candidates.Reply) -> TeacherAnswer:
    from model.teacher.base import Answer as TeacherAnswer
    from model.teacher.base import State

    return TeacherAnswer(State(reply.state), reply.candidates, "")


def _served(answer: StudentAnswer, decided: Decided, union: CandidateSet | None) -> StudentAnswer:
    """The decided label; where nobody decided between several, a shortlist: `union` of the votes, or the ruling's.

    A label that is not the committee's own is a close call.
    """
    ruling = decided.ruling
    if ruling.label is None:
        several = len(ruling.candidates) > 1
        return answer._replace(shortlist=(union or CandidateSet(ruling.candidates)) if several else None)
    if ruling.label == answer.label:
        return answer._replace(shortlist=None)
    return StudentAnswer(ruling.label, min(1.0, max(0.0, decided.score)), 0.0)
