"""Who decides a task of a committee: its votes (setting VOTING), the teacher's stored answer, or a person.

What nobody settles keeps the committee's most likely label and a shortlist for people, served by SERVE_UNSURE.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from backend.pool import candidates, rulings
from backend.pool.tasks import text_hash
from backend.services import Services, project_options, teacher_version
from backend.student_answers import Answer
from model.labels import CandidateSet

if TYPE_CHECKING:
    from backend.pool.projects import Project
    from model.arrays import FloatArray, IntArray
    from model.committee import Committee
    from model.committee.review import Ruling
    from model.teacher.base import Answer as TeacherAnswer

CONFIDENT = 0.8  # probability at which weighted votes decide
NO_RETRY = 2  # the teacher was asked twice where its answer could not be read


def ruled(
    services: Services, project: Project, version: str, committee: Committee, ids: Sequence[int], texts: Sequence[str],
    found: Sequence[Answer],
) -> list[Answer]:  # fmt: skip
    """The committee's answers `found` as they are served; who decided each task is written down."""
    from model.committee import Source, settle, tally

    members = committee.all_probabilities(texts)
    votes = tally(members)
    accepted = _accepted(project_options(services.settings, project).VOTING, members, found, committee)
    said = candidates.read(services.engine, project.project, teacher_version(services, project), list(ids))
    names = committee.space.names
    decided: list[Answer] = []
    sources: dict[int, str] = {}
    for place, task in enumerate(ids):
        row = said.get(task)
        row = row if row is not None and row.text_hash == text_hash(texts[place]) else None
        ruling = settle(
            [names[vote] if vote >= 0 else None for vote in votes.votes[:, place].tolist()],
            names[accepted[place]] if accepted[place] >= 0 else None,
            None if row is None else _teacher_answer(row.reply),
            tries=NO_RETRY,
        )
        sources[task] = str(ruling.source)
        teacher = row.candidates if row is not None and ruling.source is Source.LLM else None
        decided.append(_served(found[place], ruling, teacher.score if teacher else float(votes.confidence[place])))
    rulings.save(services.engine, project.project, version, sources)
    return decided


def _accepted(voting: str, members: FloatArray, found: Sequence[Answer], committee: Committee) -> IntArray:
    """The label number that the votes accept `(n,)`, -1 where a review is needed."""
    import numpy as np

    from model.committee import KOfN, tally

    if voting == "weighted":
        names = committee.space
        sure = [names.index(one.label) if one.score >= CONFIDENT else -1 for one in found]
        return np.array(sure, np.int64)
    count = len(members)
    return KOfN(count, count if voting == "unanimous" else count // 2 + 1).accepted(tally(members))


def _teacher_answer(reply: candidates.Reply) -> TeacherAnswer:
    from model.teacher.base import Answer as TeacherAnswer
    from model.teacher.base import State

    return TeacherAnswer(State(reply.state), reply.candidates, "")


def _served(answer: Answer, ruling: Ruling, score: float) -> Answer:
    """The decided label; a shortlist where nobody decided between several. `score` is for a label that is not the
    committee's own: the teacher's confidence, or the voters' mean probability; such a task is a close call."""
    if ruling.label is None:
        several = len(ruling.candidates) > 1
        return answer._replace(shortlist=CandidateSet(ruling.candidates) if several else None)
    if ruling.label == answer.label:
        return answer._replace(shortlist=None)
    return Answer(ruling.label, min(1.0, max(0.0, score)), 0.0)
