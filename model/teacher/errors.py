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


class TeacherUnheard(TeacherUnavailable):
    """No answer came, or a broken one: the server may have received, and billed, what was sent."""


class TeacherRefused(TeacherError):
    """Wrong key, no money or unknown model: trying again does not help."""
