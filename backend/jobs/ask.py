"""A part of an annotate run: ask the teacher about tasks that nobody else asks about now, until the slice is over."""

from __future__ import annotations

import time

from backend.jobs.annotate import PAID_SLICE_SECONDS, missing
from backend.jobs.shards import run_shard, wanted
from backend.pool import candidates
from backend.projects.job import Job
from backend.teacher import provider_batches
from backend.teacher.paid_calls import flow
from backend.teacher.project_teacher import open_teacher
from backend.training.committee import remarks
from backend.training.encoder import project_embedder

MOST_AT_ONCE = 10_000  # tasks


def run(project: int, number: int) -> None:
    """Entry point of the queue."""
    run_shard("ask", project, number, work)


def work(job: Job, number: int) -> str:
    """The same questions as the run's own, of the same budget: claims in the pool keep them apart."""
    current = job.current
    version, end = current.teacher_version, time.monotonic() + PAID_SLICE_SECONDS
    teacher = open_teacher(current, project_embedder(current), remarks(current))
    asked = candidates.figures(job.services.engine, job.number, version).count
    away = provider_batches.away(job, version)

    def following(size: int, left_out: set[int]) -> list[tuple[int, str]]:
        """Beyond the tasks that the parts before this one will come to, if there are."""
        rows = missing(job, version, size * (number + 1), away | left_out) if wanted(job) else []
        return rows[size * number :] or rows[:size]

    done = flow(job, teacher, version, following, end, MOST_AT_ONCE, asked)
    return f"{done} tasks have been shown to the teacher"
