"""Adapt the encoder to people's labels, after a training that had enough of them, and train a student on it."""

from __future__ import annotations

from backend.jobs import train
from backend.jobs.run import run_job
from backend.projects.job import Job
from backend.training import own_encoder


def run(project: int) -> None:
    """Entry point of the queue."""
    run_job("adapt", project, work)


def work(job: Job) -> str:
    """A training in which the encoder learns, too; it takes minutes, so that the head alone was trained before.

    People see their labels sooner if a training that waits goes first; it asks for this one again. When
    labels keep coming that fast, this one gives way no longer.
    """
    if job.services.queue.waits("train", job.number) and not own_encoder.overdue(job):
        return "the training that waits goes first"
    return train.work(job, adapting=True)
