"""Ask the teacher about tasks that have no candidate set of its current version, in slices that let others in."""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import TYPE_CHECKING

import structlog

from backend.errors import BudgetReached
from backend.jobs.run import run_job
from backend.jobs.shards import Shards
from backend.pool import candidates, jobs, label_spaces, ledger, tasks, versions
from backend.projects.job import Job
from backend.projects.triggers import WORTH_RETRAINING
from backend.teacher import provider_batches
from backend.teacher.acquisition import for_teacher
from backend.teacher.budget_stages import Stage, next_end, stage
from backend.teacher.carry_over import carry_over
from backend.teacher.paid_calls import flow, store
from backend.teacher.project_teacher import examples_writer, llms_of, open_teacher
from backend.training.committee import remarks
from backend.training.encoder import project_embedder
from backend.training.share_encoder import share_encoder
from model.labels import LabelSpace

if TYPE_CHECKING:
    from model.teacher.base import Teacher

log = structlog.get_logger(__name__)

SLICE_SECONDS = 15.0  # then other jobs of the worker get their turn
PAID_SLICE_SECONDS = 60.0  # each slice waits at its end for the slowest answer
LARGEST_BATCH = 10_000  # tasks that are handed to a batch API at once
FREE_CHUNK = 64


def run(project: int) -> None:
    """Entry point of the queue."""
    run_job("annotate", project, work)


def work(job: Job) -> str:
    """One slice: ask, store at once, have it published, and ask to run again while tasks remain."""
    current = job.current
    space, version = current.space, current.teacher_version
    label_spaces.remember(job.services.engine, job.number, space)
    current.hold_budget()
    ledger.book_lost(job.services.engine, job.number)
    carry_over(current)
    if not missing(job, version, 1):
        return _finished(job, space, version)
    embed = project_embedder(current)
    writer = examples_writer(current, embed)
    if writer is not None:
        writer.write(job.services.engine, job.number, version)
    teacher = open_teacher(current, embed, remarks(current))
    away = provider_batches.poll(job, teacher, version) if teacher.paid else set()
    now = stage(job.current, teacher, version, embed)
    end, shards = time.monotonic() + (PAID_SLICE_SECONDS if teacher.paid else SLICE_SECONDS), Shards(job, "ask")
    try:
        while time.monotonic() < end and not job.paused and _some(job, teacher, version, away, end, now, shards):
            job.step_when_due(lambda: _progress(job, version))
    except BudgetReached:
        _learn(job, version)  # the student answers for the tasks that there is no money for
        raise
    finally:
        job.ask("publish")
    left = missing(job, version, 1, away, now)
    if left and now.room(_asked(job, version) + len(away), 1):
        job.ask("annotate")
        return _progress(job, version)[0]
    if away:
        job.ask_later(job.services.settings.BATCH_POLL_SECONDS)
        return f"{_progress(job, version)[0]}; {len(away)} are at the provider's batch service"
    if left or (now.only and for_teacher(job.current, version, project_embedder(job.current))):
        return _next_stage(job, teacher, version)
    return _reviewed(job, version) if now.only else _finished(job, space, version)


def _some(job: Job, teacher: Teacher, version: str, away: set[int], end: float, now: Stage, shards: Shards) -> int:
    """Have the next tasks answered, or hand many of them over as a batch; how many, 0 if none is left in this stage."""
    if not teacher.paid:
        return _chunk(job, teacher, version)
    asked = _asked(job, version)
    room = now.room(asked + len(away), LARGEST_BATCH)
    choice = job.current.options.BATCH
    limit = (
        LARGEST_BATCH if choice == "off" or provider_batches.batch_teacher(teacher) is None else provider_batches.FIRST
    )
    if asked >= provider_batches.FIRST:
        limit = LARGEST_BATCH

    def following(size: int, left_out: set[int]) -> list[tuple[int, str]]:
        job.step_when_due(lambda: _progress(job, version))
        rows = missing(job, version, size, away | left_out, now)
        proven = all(llm.has_worked for llm in llms_of(teacher))
        if proven and now == Stage() and len(rows) >= size:  # no order to keep, and more than this process can ask
            shards.spread()
        return rows

    if provider_batches.possible(job, teacher, version):
        rows = missing(job, version, room, away | provider_batches.tired(job, version), now)
        if provider_batches.wanted(job, len(rows)):
            if not provider_batches.proven(teacher):  # one question shows a wrong key before anything is handed over
                limit = 1
            elif provider_batches.submit(job, teacher, version, rows):
                away.update(provider_batches.away(job, version))
                return len(rows)
    return flow(job, teacher, version, following, end, min(limit, room), asked)


def _chunk(job: Job, teacher: Teacher, version: str) -> int:
    """Ask a teacher that costs nothing about the next tasks; their number."""
    rows = missing(job, version, FREE_CHUNK)
    if rows:
        store(job, version, rows, dict(enumerate(teacher.shortlist([text for _, text in rows]))))
    return len(rows)


def missing(
    job: Job, version: str, limit: int, away: Collection[int] = (), now: Stage | None = None
) -> list[tuple[int, str]]:
    """Tasks without an answer of this version, those of the stage first; left out: those being answered elsewhere."""
    now = now or Stage()
    rows = tasks.without_candidates(job.services.engine, job.number, version, limit + len(away), prefer=now.first)
    mine = set(now.first)
    return [row for row in rows if row[0] not in away and (not now.only or row[0] in mine)][:limit]


def _asked(job: Job, version: str) -> int:
    return candidates.figures(job.services.engine, job.number, version).count


def _learn(job: Job, version: str) -> None:
    """Have a student learn from answers that the last training did not know, unless people train by hand.

    One that is under way asks for this job again when it is over.
    """
    by_hand = job.current.options.RETRAIN_AFTER == 0
    if not by_hand and _asked(job, version) > job.project.trained_sets:
        job.ask_once("train")


def _next_stage(job: Job, teacher: Teacher, version: str) -> str:
    """A stage of the budget is spent: the training that was asked for asks for this job again."""
    end = next_end(job.current, teacher, version)
    if end is None or end > _asked(job, version):
        job.ask("annotate")
    else:
        _learn(job, version)
    return f"{_progress(job, version)[0]}; a student learns from them before the next ones are chosen"


def _reviewed(job: Job, version: str) -> str:
    """What the committee could not decide was asked; its members learn from the answers."""
    _learn(job, version)
    return f"{_progress(job, version)[0]}; the committee decides the rest"


def _progress(job: Job, version: str) -> tuple[str, float]:
    total = tasks.count(job.services.engine, job.number)
    done = _asked(job, version)
    return f"{done} of {total} tasks have been shown to the teacher", min(1.0, done / max(1, total))


def _learns_from_all(job: Job, version: str) -> bool:
    """Whether a training runs that began after the last answer came."""
    row = jobs.get(job.services.engine, job.number).get("train")
    if row is None or row.state != "running" or row.started_ms is None:
        return False
    return row.started_ms > candidates.latest_ms(job.services.engine, job.number, version)


def _finished(job: Job, space: LabelSpace, version: str) -> str:
    """All tasks are done. A student that knows other labels, or few of these candidate sets, is trained anew."""
    under_way = _learns_from_all(job, version)  # asked before the versions are: if it ends meanwhile it is one of them
    trained = versions.list_versions(job.services.engine, job.number)
    if trained and not under_way:
        known = trained[0].metrics.get("candidate_sets", 0) if trained[0].space_hash == space.hash else 0
        if known * WORTH_RETRAINING < candidates.figures(job.services.engine, job.number, version).answered:
            job.ask("train")
    job.ask("publish")
    share_encoder(job)
    found = candidates.figures(job.services.engine, job.number, version)
    kinds = {"abstained": found.abstained, "refused by the server": found.refused, "unreadable": found.unparsed}
    others = [f"{number} {kind}" for kind, number in kinds.items() if number]
    counts = f": {found.answered} answered, {', '.join(others)}" if others else ""
    return f"the teacher has been asked about every task{counts}"
