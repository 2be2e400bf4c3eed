"""Bulk annotation through a provider's batch API: hand over, come back later, collect. Resumes from the pool alone."""

from __future__ import annotations

import uuid
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from backend.pool import batches, candidates, claims, ledger, tasks, version_names
from backend.pool.batches import BatchRow
from backend.pool.text import text_hash
from backend.projects.job import Job
from backend.teacher.kept_answers import KeptAnswers
from backend.teacher.open_questions import still_open
from backend.teacher.project_teacher import as_llm
from model.teacher.errors import TeacherError

if TYPE_CHECKING:
    from model.teacher.base import Answer, Teacher
    from model.teacher.batches import BatchTeacher

log = structlog.get_logger(__name__)

FIRST = 200  # tasks that are asked directly before, so that people can start at once
MOST_TRIES = 2  # batches that a task may be in
LISTED_SECONDS = 600  # after them a provider lists a batch that it has taken
SMALLEST = 10  # a batch that the budget makes smaller than this is not worth it


def batch_teacher(teacher: Teacher) -> BatchTeacher | None:
    """The teacher asked through its provider's batch API; None if that is not one LLM with such an API."""
    llm = as_llm(teacher)
    if llm is None or llm.per_call > 1:
        return None
    from model.teacher.batches import BatchTeacher
    from model.teacher.providers.anthropic import AnthropicProvider
    from model.teacher.providers.anthropic_batches import AnthropicBatches
    from model.teacher.providers.openai import OpenAIProvider
    from model.teacher.providers.openai_batches import OpenAIBatches

    if isinstance(llm.provider, AnthropicProvider):
        return BatchTeacher(llm, AnthropicBatches(llm.provider))
    if isinstance(llm.provider, OpenAIProvider):
        return BatchTeacher(llm, OpenAIBatches(llm.provider))
    return None


def possible(job: Job, teacher: Teacher, version: str) -> bool:
    """Whether tasks may go to the batch API. Compatible servers of one's own have none, as a rule."""
    choice = job.current.options.BATCH
    llm = as_llm(teacher)
    if choice != "auto" or llm is None:
        return choice == "always" and batch_teacher(teacher) is not None
    settings = job.services.settings
    own_server = bool(settings.OPENAI_BASE_URL if teacher.name.startswith("openai:") else settings.ANTHROPIC_BASE_URL)
    if own_server or llm.price.batch >= 1 or batch_teacher(teacher) is None:
        return False
    return candidates.figures(job.services.engine, job.number, version).count >= FIRST


def wanted(job: Job, missing: int) -> bool:
    """Whether so many tasks are worth a batch."""
    from model.teacher.batches import WORTH_IT

    choice = job.current.options.BATCH
    return missing >= (1 if choice == "always" else WORTH_IT)


def tired(job: Job, version: str) -> set[int]:
    """Tasks that were in batches MOST_TRIES times without an answer to keep: they are asked directly."""
    tries = Counter(task for row in batches.all_of(job.services.engine, job.number, version) for task in row)
    return {task for task, number in tries.items() if number >= MOST_TRIES}


def away(job: Job, version: str) -> set[int]:
    """Tasks of this version that are with the provider."""
    return batches.away(job.services.engine, job.number, version)


def submit(job: Job, teacher: Teacher, version: str, rows: list[tuple[int, str]]) -> int:
    """Hand tasks over, as many as the budget allows; their number.

    What they can cost is set aside, and the intention is written with a mark that the provider gets, too, before
    anything is sent; the provider's ids are written before anybody waits. Between the two a process may be killed, or
    the reply be lost: then the batch is looked for by its mark, and not handed over again until it is sure not to be
    there.
    """
    from model.teacher.batches import LARGEST_BATCH

    with claims.asking(job.services.engine) as mine:  # until others can see in the pool that the provider has them
        return _submit(job, teacher, version, still_open(job, mine, version, rows[:LARGEST_BATCH]))


def _submit(job: Job, teacher: Teacher, version: str, rows: list[tuple[int, str]]) -> int:
    """See `submit`; of tasks that nobody else is asking about."""
    asking = batch_teacher(teacher)
    assert asking is not None, "`wanted` was asked before"
    rows = _unkept(job, teacher, version, rows)
    reserved, bound = _reserve(job, asking, version, rows)
    while reserved is None and len(rows) > SMALLEST:
        rows = rows[: len(rows) // 2]
        reserved, bound = _reserve(job, asking, version, rows)
    if reserved is None or not rows:
        return 0
    keyed = {f"t{task}": (task, text_hash(text)) for task, text in rows}
    engine, mark = job.services.engine, uuid.uuid4().hex[:12]
    number = batches.begin(engine, job.number, version, keyed, bound, reserved, mark, teacher.name)
    try:
        ticket = asking.submit({f"t{task}": text for task, text in rows}, mark)
    except TeacherError as error:
        _not_taken(job, number, error)
        raise
    batches.opened(engine, number, {**ticket.to_json(), "provider": teacher.name})
    log.info("batch submitted", tasks=len(rows), batches=list(ticket.batches), reserved_microusd=bound)
    return len(rows)


def proven(teacher: Teacher) -> bool:
    """Whether the teacher has answered in this process: a wrong key or an unknown parameter would have shown."""
    llm = as_llm(teacher)
    return llm is not None and llm.has_worked


def poll(job: Job, teacher: Teacher, version: str) -> set[int]:
    """Collect what has ended; the tasks of this version that are still with the provider."""
    for row in batches.unfinished(job.services.engine, job.number):
        asking, asked = batch_teacher(teacher), str((row.ticket or {}).get("provider", ""))
        if asking is None or asked.partition(":")[0] != teacher.name.partition(":")[0]:
            _lost(job, row, "the teacher has another provider now")
        elif row.state == "submitting":
            _trace(job, asking, row)
        else:
            _collect(job, teacher, asking, row)
    return away(job, version)


def _reserve(job: Job, asking: BatchTeacher, version: str, rows: list[tuple[int, str]]) -> tuple[int | None, int]:
    """The reservation, if there is money for it, and its micro-dollars."""
    bound = asking.upper_bound_microusd([text for _, text in rows])
    return ledger.reserve(job.services.engine, job.number, version, bound), bound


def _not_taken(job: Job, number: int, error: TeacherError) -> None:
    """The submission failed. If no answer came, the provider may have it: it is looked for by its mark, later."""
    from model.teacher.base import Usage
    from model.teacher.errors import TeacherUnheard

    if not isinstance(error, TeacherUnheard):
        batches.ended(job.services.engine, number, "lost", Usage())


def _trace(job: Job, asking: BatchTeacher, row: BatchRow) -> None:
    """Is a submission whose answer nobody heard at the provider? Until that is sure, its tasks are not asked again."""
    from model.teacher.batches import Ticket

    first: dict[str, str] = {}
    for key, (_, text) in row.tasks.items():
        first.setdefault(text, key)
    trace = asking.find(row.mark, len(first), row.created_ms / 1000)
    if trace.batch:
        keys = list(first.values())
        twins = {key: first[text] for key, (_, text) in row.tasks.items() if first[text] != key}
        ticket = Ticket(version_names.teacher_of(row.version), {trace.batch: keys}, twins)
        content = {**ticket.to_json(), "provider": asking.teacher.name}
        batches.opened(job.services.engine, row.batch, content)
        log.info("batch found again", batch=trace.batch, tasks=len(row.tasks))
    elif not trace.perhaps and job.services.clock() > row.created_ms + LISTED_SECONDS * 1000:
        from model.teacher.base import Usage

        batches.ended(job.services.engine, row.batch, "lost", Usage())
        log.warning("a batch never reached the provider, its tasks are asked again", tasks=len(row.tasks))


def _collect(job: Job, teacher: Teacher, asking: BatchTeacher, row: BatchRow) -> None:
    """If the submission has ended, store its answers, then book its money. One of a former teacher is cancelled."""
    from model.teacher.batches import Ticket

    ticket = Ticket.from_json(row.ticket or {})
    if not asking.progress(ticket).ended:
        if ticket.teacher != teacher.hash:
            asking.cancel(ticket)
        return
    found = asking.collect(ticket)
    if version_names.is_of_space(row.version, asking.teacher.prompt.space.hash):
        _keep(job, row.version, row.tasks, found.answers)
        if ticket.teacher == teacher.hash:
            _remember(job, teacher, row, found.answers)
    share = row.reserved_microusd * found.uncounted // max(1, len(row.tasks))  # no count of tokens: the most it can be
    batches.ended(job.services.engine, row.batch, "done", replace(found.spent, microusd=found.spent.microusd + share))
    log.info("batch collected", answers=len(found.answers), asked_again=len(found.again))


def _keep(job: Job, version: str, keyed: dict[str, tuple[int, str]], found: dict[str, Answer]) -> None:
    candidates.save(job.services.engine, job.number, version, [(*keyed[key], answer) for key, answer in found.items()])


def _lost(job: Job, row: BatchRow, reason: str) -> None:
    """Its tasks are asked anew. What was set aside for it is booked: the provider may have been paid."""
    batches.abandoned(job.services.engine, row.batch)
    log.warning("a batch is lost", reason=reason, tasks=len(row.tasks), reserved_microusd=row.reserved_microusd)


def _unkept(job: Job, teacher: Teacher, version: str, rows: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """The tasks whose question was never answered; the others get their kept answers."""
    if not isinstance(teacher, KeptAnswers):
        return rows
    known = teacher.known([text for _, text in rows])
    kept = [(task, text_hash(text), known[text]) for task, text in rows if text in known]
    candidates.save(job.services.engine, job.number, version, kept)
    return [(task, text) for task, text in rows if text not in known]


def _remember(job: Job, teacher: Teacher, row: BatchRow, found: dict[str, Answer]) -> None:
    """Keep answers by question, too."""
    if not isinstance(teacher, KeptAnswers):
        return
    texts = tasks.texts(job.services.engine, job.number, [row.tasks[key][0] for key in found])
    given = ((texts.get(row.tasks[key][0], ""), row.tasks[key][1], answer) for key, answer in found.items())
    teacher.keep_all({text: answer for text, asked, answer in given if text_hash(text) == asked})
