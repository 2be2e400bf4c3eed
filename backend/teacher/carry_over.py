"""What of the teacher's work stays valid when the label space changes. Pure decisions."""

from __future__ import annotations

import structlog

from backend.pool import candidates, label_spaces, teachers, version_names
from backend.projects.current import Current
from model.labels import CandidateSet, LabelSpace

log = structlog.get_logger(__name__)


def only_removes(old: LabelSpace, new: LabelSpace) -> bool:
    """Whether every label of `new` was there before with the same title and hint.

    Then the teacher has already considered all that it could choose now. An added label, a changed hint or another
    scope (control tag or data field), or another meaning of ticks, makes it a new question.
    """
    same = (old.scope, old.answer, old.least) == (new.scope, new.answer, new.least)
    asked, before = ([(one.name, one.kind, one.least, one.when) for one in space.questions] for space in (new, old))
    return same and asked == before and set(new.labels) <= set(old.labels)


def survives(candidates: CandidateSet | None, new: LabelSpace) -> bool:
    """Whether an answer to the larger label space still stands: it loses no label. An abstention stays one."""
    return candidates is None or all(label in new for label in candidates.labels)


def carry_over(current: Current) -> None:
    """Keep the answers of a teacher that differs in the project's instructions alone, and may have known more labels.

    An edited description is no reason to pay for everything again: tasks that come later are asked with the new one,
    and `shortlist annotate --again` asks all of them. After labels were removed, answers that lose one are asked again.
    """
    engine, number, space, version = current.engine, current.number, current.space, current.teacher_version
    teachers.remember(engine, number, version, current.teacher_core(), current.options.TEACHER, current.options.PROMPT)
    asked, known = label_spaces.asked_versions(engine, number), teachers.of_project(engine, number)
    if version in asked or known[version].anew:
        return
    for old in asked:
        former = label_spaces.recall(engine, number, version_names.space_of(old))
        if former is None or old not in known or not only_removes(former, space):
            continue
        if known[old].core != current.teacher_core(former):
            continue
        kept = candidates.carry_over(engine, number, old, version, lambda found: survives(found, space))
        log.info("carried over", old=old, new=version, kept=kept)
        return
