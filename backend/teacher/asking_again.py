"""Asking a teacher anew about what it did not answer: a server that was repaired, a model that was exchanged."""

from __future__ import annotations

from backend.pool import answers, candidates, teachers
from backend.projects.current import Current


def forget_failed(current: Current) -> int:
    """Forget what the present teacher version gave no readable answer to, and examples that nobody could read; the
    number of tasks that the next run asks about again."""
    answers.forget_empty(current.engine)
    return candidates.forget_failed(current.engine, current.number, current.teacher_version)


def forget_taken_over(current: Current) -> int:
    """Have the present teacher version asked about everything that it took over from another one; how many tasks."""
    version, options = current.teacher_version, current.options
    teachers.remember(current.engine, current.number, version, current.teacher_core(), options.TEACHER, options.PROMPT)
    return teachers.ask_anew(current.engine, current.number, version)
