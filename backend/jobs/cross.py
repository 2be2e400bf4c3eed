"""Try a cross-encoder beside the student of a project of pairs, after a training, and use it where it pays."""

from __future__ import annotations

from backend.jobs import train
from backend.jobs.run import run_job
from backend.projects.job import Job


def run(project: int) -> None:
    """Entry point of the queue."""
    run_job("cross", project, work)


def work(job: Job) -> str:
    """A training with a cross-encoder; it takes minutes, so that the student alone was trained before.

    People see their labels sooner if a training that waits goes first; it asks for this one again.
    """
    if job.services.queue.waits("train", job.number):
        return "the training that waits goes first"
    return train.work(job, crossing=True)
