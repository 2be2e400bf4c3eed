"""Whether a teacher's answers can be read: one that says nothing of use is not paid for thousands of times."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from backend.pool import candidates
from backend.projects.job import Job
from model.teacher.base import State
from model.teacher.errors import TeacherRefused

if TYPE_CHECKING:
    from model.teacher.base import Answer

UNREADABLE_FIRST = 5  # answers in a row that nobody can read, before any could be, end a run
UNREADABLE_IN_A_ROW = 25  # the same of a teacher whose answers could be read


class Readability:
    """The answers of one teacher version so far: how many could be read, and how many in a row could not."""

    def __init__(self, job: Job, name: str, version: str) -> None:
        """`name` is the teacher's, for people. One that was stopped stays so until its answers are asked for again."""
        self._job, self._name = job, name
        known = candidates.figures(job.services.engine, job.number, version)
        self.readable = known.answered
        self.sound = known.answered + known.abstained  # answers that show that the teacher can be asked
        self._in_a_row = 0
        if known.unparsed >= self._patience:
            latest = candidates.latest_states(job.services.engine, job.number, version, self._patience)
            self._in_a_row = self._patience if set(latest) == {"unparsed"} else 0

    @property
    def _patience(self) -> int:
        return UNREADABLE_IN_A_ROW if self.readable else UNREADABLE_FIRST

    def look_at(self, answers: Iterable[Answer]) -> None:
        """Count them, and tell people of texts that were cut off."""
        for answer in answers:
            if answer.state is State.UNPARSED:
                self._in_a_row += 1
            self.sound += answer.state in (State.ANSWERED, State.ABSTAINED)
            if answer.state is State.ANSWERED:
                self._in_a_row, self.readable = 0, self.readable + 1
            if "context window" in answer.reason:
                self._job.note(f"A text was not labelled: {answer.reason}")

    def refusal(self, answers: Iterable[Answer] = ()) -> TeacherRefused | None:
        """Why the teacher is asked nothing more, in one sentence with what to do; None while it may be."""
        if self._in_a_row < self._patience:
            return None
        last = next((answer for answer in answers if answer.state is State.UNPARSED), None)
        why = ""
        if last is not None:
            begins = " ".join(last.raw.split())[:80]
            why = f' ({last.reason}; the last one begins with "{begins}")' if begins else f" ({last.reason})"
        return TeacherRefused(
            f"{self._in_a_row} answers in a row of {self._name} hold no label that can be read{why}, so that nothing "
            "more is asked. Try `shortlist doctor --ask`, choose another model or repair its server, then press Ask "
            f"again on the project's page, or `shortlist annotate {self._job.number} --again`"
        )
