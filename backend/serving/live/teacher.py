"""One freshly opened task: ask the teacher inside the request, bounded in time and money. The answer is always kept."""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from threading import Lock
from typing import TYPE_CHECKING

import structlog

from backend.pool import batches, candidates, claims, jobs, ledger, tasks
from backend.teacher.project_teacher import open_teacher
from model.teacher.errors import TeacherError

if TYPE_CHECKING:
    from backend.pool.candidates import Stored
    from backend.serving.live.question import Asked, Question
    from model.teacher.base import Answer, Teacher

log = structlog.get_logger(__name__)

_threads = ThreadPoolExecutor(4, "teacher")
_asking: set[tuple[int, int, str]] = set()  # (project, task, version): one thread for each is enough
_lock = Lock()


def ask(question: Question, asked: Asked) -> Answer | Stored | None:
    """The teacher's answer, or None: not loaded yet, no money, too slow, or somebody else is asking already.

    A slow answer still reaches the pool when it comes.
    """
    if question.current.paused:
        return None
    project = question.current.number
    teacher = question.live.teacher(
        project,
        question.version,
        question.current.teacher_options,
        question.current.space,
        question.current.options.STUDENT_ENCODER,
        lambda embed: open_teacher(question.current, embed),
    )
    if teacher is None or (not teacher.fast and _left_to_the_job(question)):
        return None
    key = (project, asked.task, question.version)
    with _lock:
        if key in _asking:
            return None
        _asking.add(key)
    return _wait(_threads.submit(_ask_once, key, question, teacher, asked), question.deadline)


def _ask_once(key: tuple[int, int, str], question: Question, teacher: Teacher, asked: Asked) -> Answer | Stored | None:
    """Whoever has the answer may ask again at once: the key is given back before the answer is."""
    try:
        return (_ask_alone if teacher.paid else _ask)(question, teacher, asked)
    finally:
        with _lock:
            _asking.discard(key)


def _wait(future: Future[Answer | Stored | None], deadline: float) -> Answer | Stored | None:
    try:
        return future.result(max(0.0, deadline - time.monotonic()))
    except NotYet:
        return None
    except TeacherError as error:
        log.warning("the teacher did not answer", reason=str(error))
        return None


def _left_to_the_job(question: Question) -> bool:
    """Whether the annotate job is about to ask a paid teacher for this task, too, or has found that it cannot answer.

    After a wrong key, without money or in an outage only the job tries again: the status page says why.
    """
    row = jobs.get(question.current.services.engine, question.current.number).get("annotate")
    return row is not None and row.state in ("queued", "running", "failed")


def _ask_alone(question: Question, teacher: Teacher, asked: Asked) -> Answer | Stored | None:
    """None if another process asks about this text, however long ago the request began for which it does; what was
    answered meanwhile is not asked again."""
    engine, project = question.current.services.engine, question.current.number
    with claims.asking(engine) as mine:
        if not mine.take(project, question.version, [asked.text_hash]):
            return None
        known = candidates.read(engine, project, question.version, [asked.task]).get(asked.task)
        if known is not None and known.text_hash == asked.text_hash:
            return known
        if asked.task in batches.away(engine, project, question.version):
            return None
        return _ask(question, teacher, asked)


def _ask(question: Question, teacher: Teacher, asked: Asked) -> Answer | None:
    engine, project = question.current.services.engine, question.current.number
    bound = teacher.upper_bound_microusd([asked.text])
    question.current.hold_budget()
    reservation = ledger.reserve(engine, project, question.version, bound) if bound else None
    if bound and reservation is None:
        return None
    spent = None
    try:
        reply = teacher.shortlist([asked.text])[0]
        spent = reply.usage
    except TeacherError as error:
        spent = error.spent  # a first answer that could not be read was paid, too
        raise
    finally:
        if teacher.paid:
            from model.teacher.base import Usage

            ledger.settle(engine, project, question.version, reservation, spent or Usage())
    tasks.add(engine, project, {asked.task: asked.text})
    candidates.save(engine, project, question.version, [(asked.task, asked.text_hash, reply)])
    return reply
