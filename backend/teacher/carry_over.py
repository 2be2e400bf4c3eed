"""What of the teacher's work stays valid when the label space changes. Pure decisions."""

from __future__ import annotations

from model.labels import CandidateSet, LabelSpace


def only_removes(old: LabelSpace, new: LabelSpace) -> bool:
    """Whether every label of `new` was there before with the same title and hint.

    Then the teacher has already considered all that it could choose now. An added label, a changed hint or another
    scope (control tag or data field) makes it a new question.
    """
    return old.scope == new.scope and set(new.labels) <= set(old.labels)


def survives(candidates: CandidateSet | None, new: LabelSpace) -> bool:
    """Whether an answer to the larger label space still stands: it loses no label. An abstention stays one."""
    return candidates is None or all(label in new for label in candidates.labels)
