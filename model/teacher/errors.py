"""Errors of teachers; they carry the answers that were paid for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from model.errors import ModelError

if TYPE_CHECKING:
    from model.teacher.base import Answer, Usage


class TeacherError(ModelError):
    """The teacher cannot answer at all.

    `partial` maps positions of the asked texts to the answers that came before, `spent` is everything that was paid,
    also for texts without an answer. Both are to be kept.
    """

    def __init__(self, message: str, partial: Mapping[int, Answer] | None = None, spent: Usage | None = None) -> None:
        super().__init__(message)
        self.partial: Mapping[int, Answer] = partial or {}
        self.spent = spent
        self.retry_seconds: float | None = None  # how long the server asked to wait, where it said so


class TeacherUnavailable(TeacherError):
    """Overload, time-out or lost connection: trying later may help."""


class RoomNeeded(TeacherUnavailable):
    """The model thinks, and its thoughts need more room than was reserved for this text: ask it again at once."""


class TeacherUnheard(TeacherUnavailable):
    """No answer came, or a broken one: the server may have received, and billed, what was sent."""


class TeacherUnread(TeacherUnheard):
    """An answer came that is none of the protocol; `body` is what came of it, for an estimate of its cost."""

    def __init__(self, message: str, body: str = "") -> None:
        super().__init__(message)
        self.body = body


class TeacherRefused(TeacherError):
    """Wrong key, no money or unknown model: trying again does not help."""


class TextRefused(TeacherRefused):
    """The server refuses this one request (too long, content policy, malformed): others may go on. `words` are its own,
    `status` is HTTP's."""

    words = ""
    status = 0


def again(error: TeacherError, message: str, partial: Mapping[int, Answer], spent: Usage) -> TeacherError:
    """An error of the same kind for everything that was asked together. What concerned one text concerns all now."""
    kinds: tuple[type[TeacherError], ...] = (TeacherRefused, RoomNeeded)
    kind = next((kind for kind in kinds if isinstance(error, kind)), TeacherUnavailable)
    raised = TeacherUnread(message) if isinstance(error, TeacherUnread) else kind(message)
    raised.partial, raised.spent, raised.retry_seconds = partial, spent, error.retry_seconds
    return raised
