"""Adapt the encoder to people's labels, after a training that had enough of them, and train a student on it."""

from __future__ import annotations

from backend.jobs import train
from backend.jobs.running import Job, run_job


def run(project: int) -> None:
    """Entry point of the queue."""
    run_job("adapt", project, work)


def work(job: Job) -> str:
    """A training in which the encoder learns, too; it takes minutes, so that the head alone was trained before."""
    return train.work(job, adapting=True)
