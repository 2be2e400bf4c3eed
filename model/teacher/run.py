"""The state of one `shortlist` call: answers so far, what was spent, and whether to stop."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

import structlog

from model.teacher.base import Answer, Usage
from model.teacher.errors import RoomNeeded, TeacherError, TeacherRefused, again

log = structlog.get_logger(__name__)

FAILURES_IN_A_ROW = 5  # then nothing more is sent


class Run:
    """Collects answers from several threads. An error is kept until all that can go on has gone on.

    TeacherRefused stops everything at once, TeacherUnavailable only after FAILURES_IN_A_ROW without an answer between.
    """

    def __init__(self) -> None:
        self.answers: dict[int, Answer] = {}
        self._lock = threading.Lock()
        self._lost = Usage()
        self._stop: TeacherError | None = None
        self._failed: TeacherError | None = None
        self._in_a_row = 0

    def attempt(self, ask: Callable[[], Iterable[tuple[int, Answer]]]) -> None:
        """Ask, and keep every answer with its place as soon as it comes; a TeacherError is noted, not raised."""
        try:
            self.check()
            for place, answer in ask():
                with self._lock:
                    self._in_a_row = 0
                    self.answers[place] = answer
        except TeacherError as error:
            self.note(error)

    def check(self) -> None:
        """Raises what made the run stop."""
        if self._stop is not None:
            raise self._stop

    def lose(self, usage: Usage) -> None:
        """Remember money that led to no answer."""
        with self._lock:
            self._lost += usage

    def note(self, error: TeacherError) -> None:
        """Remember an error; a grave one, or several in a row, stop the run."""
        with self._lock:
            self._failed = self._failed or error
            self._in_a_row += not isinstance(error, RoomNeeded)
            if isinstance(error, TeacherRefused) or self._in_a_row >= FAILURES_IN_A_ROW:
                self._stop = self._stop or error

    def raise_if_failed(self, total: int) -> None:
        """Raises the gravest error, with everything that was answered and paid."""
        error = self._stop or self._failed
        if error is None:
            return
        spent = sum((answer.usage for answer in self.answers.values()), self._lost)
        counted = f" ({len(self.answers)} of {total} texts were answered)" if total > 1 else ""
        raised = again(error, f"{error}{counted}", dict(self.answers), spent)
        log.info("texts were left unanswered", reason=str(raised), kind=type(raised).__name__)
        raise raised from None
