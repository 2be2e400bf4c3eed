"""Take away in Label Studio what nobody can see any more, a little at a time: people and other jobs go first."""

from __future__ import annotations

from backend.jobs.run import run_job
from backend.projects.job import Job
from backend.serving.publishing.clearing import clear, is_full

SECONDS = 10.0  # of one run, and of the pause after it: a deleted row costs Label Studio as much as twenty new ones


def run(project: int) -> None:
    """Entry point of the queue."""
    run_job("clear", project, work)


def work(job: Job) -> str:
    """Take rows away for a while, and ask to go on if there are more."""
    label_studio = job.label_studio()
    if label_studio is None:
        return f"{job.lack}: nothing can be taken away"
    full = is_full(job.current)
    with label_studio:
        gone, left = clear(job, label_studio, SECONDS)
    if full and not is_full(job.current):
        job.ask("publish")
    if left:
        job.ask_later(SECONDS)
    return f"{gone} older predictions taken away in Label Studio" + ("; it goes on" if left else "")
