"""What to serve: which version answers, from where, and what happens with tasks that have no answer yet."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import structlog

from backend.label_studio.control import Control
from backend.label_studio.fields import identifier
from backend.label_studio.predictions import abstained_entry, is_valid
from backend.label_studio.task_text import task_query, task_text
from backend.pool import candidates, publishing, queries
from backend.pool.projects import Project
from backend.pool.standing import about
from backend.pool.text import text_hash
from backend.pool.version_names import is_trained
from backend.projects.current import current_of
from backend.projects.triggers import Later, at_once
from backend.projects.updates import remember_tasks
from backend.services import Services
from backend.serving import answers as student_answers
from backend.serving.answers import hide
from backend.serving.left_open import completed, is_judged
from backend.serving.live import teacher
from backend.serving.live.models import LiveStudents
from backend.serving.live.question import Asked, Question

log = structlog.get_logger(__name__)

NO_ENTRY, NO_OBJECT = b"[]", b"{}"
STORING_MS, STORING_MS_PER_TASK = 5_000, 250  # how long Label Studio may take to store an answer: 25 ms a task, idle

Count = Callable[[str, int], None]


def _uncounted(kind: str, number: int) -> None:
    """Nobody counts."""


def answer(
    services: Services,
    live: LiveStudents,
    project: Project,
    given: Sequence[object],
    interactive: bool = False,
    *,
    later: Later = at_once,
    count: Count = _uncounted,
) -> list[bytes]:
    """Exactly one entry per task, as JSON, in order; a task without an answer gets `[]`.

    `later` is given the writing that need not hold up the answer; `count` hears how many entries of which kind left.
    An interactive request gets an object even where there is no answer yet. Raises LabelingConfigError or
    SettingsError if label config or options are not usable, and what the database raises.
    """
    entries, version = _answer(services, live, project, given, later=later, count=count)
    if not interactive:
        return entries
    nothing = as_json(abstained_entry(version))
    return [nothing if entry == NO_ENTRY else entry for entry in entries]


def as_json(content: object) -> bytes:
    """JSON as it leaves; ValueError for NaN and infinity."""
    return json.dumps(content, allow_nan=False).encode()


def _answer(
    services: Services, live: LiveStudents, project: Project, given: Sequence[object], *, later: Later, count: Count
) -> tuple[list[bytes], str]:
    current = current_of(services, project)
    control, version = current.control, current.served_version
    deadline = time.monotonic() + services.settings.PREDICT_SECONDS
    asked = [_asked(control, task) for task in given]
    by_task = {one.task: one for one in asked if one is not None}
    found = live.sent.get(current.facts, [(one.task, one.text_hash) for one in by_task.values()])
    rest = [one for one in by_task.values() if one.task not in found]
    if rest:
        question = Question(current, live, deadline, later, alone=len(given) == 1)
        found |= _find(question, rest, count)
    entries = [found.get(one.task, NO_ENTRY) if one is not None else NO_ENTRY for one in asked]
    waiting = entries.count(NO_ENTRY)
    count("answered", len(entries) - waiting)
    count("waiting", waiting)
    return entries, version


def _find(question: Question, asked: list[Asked], count: Count) -> dict[int, bytes]:
    """Checked entries of tasks that were not answered lately: from the pool or the student, and kept."""
    find = _student_entries if is_trained(question.version) else _teacher_entries
    shown = hide(find(question, asked), question.current.number, question.current.blind_share)
    fresh = {task: as_json(entry) for task, entry in _only_valid(question, shown, count).items()}
    hashes = {one.task: one.text_hash for one in asked}
    question.live.sent.put(question.current.facts, {(task, hashes[task]): entry for task, entry in fresh.items()})
    _note_given(question, fresh)
    return fresh


def _note_given(question: Question, fresh: Mapping[int, object]) -> None:
    """Label Studio stores these by itself: publishing must not send them once more while it does."""
    services, project, tasks_given = question.current.services, question.current.number, list(fresh)
    until = services.clock() + STORING_MS + STORING_MS_PER_TASK * len(tasks_given)
    if tasks_given:
        question.later(
            "note given", lambda: publishing.give(services.engine, project, question.version, tasks_given, until)
        )


def _asked(control: Control, task: object) -> Asked | None:
    number = identifier(task.get("id")) if isinstance(task, Mapping) else None
    data = task.get("data") if isinstance(task, Mapping) else None
    if number is None or not isinstance(data, Mapping):
        return None
    text = task_text(control, data)
    return Asked(number, text, text_hash(text), task_query(control, data)) if text else None


def _teacher_entries(question: Question, asked: list[Asked]) -> dict[int, dict[str, Any]]:
    """Candidate sets from the pool; one single open task may ask the teacher."""
    stored = candidates.read(
        question.current.services.engine, question.current.number, question.version, [one.task for one in asked]
    )
    replies = about(stored, {one.task: one.text_hash for one in asked})
    entries = {task: _teacher_entry(question, reply) for task, reply in replies.items()}
    found = {task: entry for task, entry in entries.items() if entry is not None}
    missing = [one for one in asked if one.task not in replies]
    _remember_queries(question, missing)  # of a task that is answered at once, too
    if question.alone and missing:
        reply = teacher.ask(question, missing[0])
        if reply is not None and (entry := _teacher_entry(question, reply)) is not None:
            return {missing[0].task: entry}
    _remember_texts(question, missing)
    return found


def _teacher_entry(question: Question, reply: Any) -> dict[str, Any] | None:
    """None where the teacher's answer could not be understood: that is no opinion."""
    if reply.candidates is not None:
        return question.shortlist(reply.candidates)
    return abstained_entry(question.version) if reply.state == "abstained" else None


def _student_entries(question: Question, asked: list[Asked]) -> dict[int, dict[str, Any]]:
    """Cached predictions of the version; the rest from the student in memory, within the time budget."""
    project = question.current.number
    services, version, options = question.current.services, question.version, question.current.options
    several = question.current.space.several
    stored = student_answers.stored(services, project, version, options, [one.task for one in asked], several)
    known = about(stored, {one.task: one.text_hash for one in asked})
    found = {task: one.entry(question.current.control, version, options) for task, one in known.items()}
    missing = [one for one in asked if one.task not in found]
    if not missing:
        return found
    student = question.live.get(project, version)
    answers = student.answers([one.text for one in missing], question.deadline) if student is not None else []
    if student is not None and answers:
        about_texts = [(one.task, one.text_hash) for one in missing]
        limits, judged = student.student.thresholds, is_judged(student.calibration)
        answers = completed(question.current, limits, about_texts, answers, judged=judged)
    fresh = [(one.task, one.text_hash, reply) for one, reply in zip(missing, answers, strict=False)]
    found.update({task: reply.entry(question.current.control, version, options) for task, _, reply in fresh})
    _remember_queries(question, missing)
    _remember_texts(question, missing)
    if fresh:
        question.later("save predictions", lambda: student_answers.save(services, project, version, options, fresh))
    return found


def _only_valid(question: Question, found: Mapping[int, dict[str, Any]], count: Count) -> dict[int, dict[str, Any]]:
    """What Label Studio must not see is left out, so that its task gets `[]`."""
    problems = {task: is_valid(question.current.control, entry, question.version) for task, entry in found.items()}
    wrong = {task: problem for task, problem in problems.items() if problem}
    for task, problem in list(wrong.items())[:10]:
        log.error("entry stopped", project=question.current.number, task=task, problem=problem)
    count("stopped", len(wrong))
    return {task: entry for task, entry in found.items() if task not in wrong}


def _remember_queries(question: Question, asked: Iterable[Asked]) -> None:
    """Put what these tasks share with others into the pool, where no text shows it."""
    told = {one.task: one.query for one in asked if one.query}
    services, number = question.current.services, question.current.number
    if told:
        question.later("remember queries", lambda: queries.save(services.engine, number, told))


def _remember_texts(question: Question, asked: Iterable[Asked]) -> None:
    """Put new and edited tasks into the pool, and have the teacher asked for them."""
    texts = {one.task: one.text for one in asked}
    services, number = question.current.services, question.current.number
    if texts:
        question.later("remember tasks", lambda: remember_tasks(services, number, texts))
