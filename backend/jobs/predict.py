"""A part of a publish: the served student's answers for tasks that the publish has not come to yet."""

from __future__ import annotations

from backend.jobs.shards import place, run_shard, wanted
from backend.pool import version_names
from backend.projects.job import Job
from backend.serving.predicting import predict_missing


def run(project: int, number: int) -> None:
    """Entry point of the queue."""
    run_shard("predict", project, number, work)


def work(job: Job, number: int) -> str:
    """Answer, from another place on than the publish and its other parts do."""
    version = job.current.served_version
    if version_names.is_teacher(version):
        return "no student is served"
    predict_missing(job, version, place(number), stop=lambda: not wanted(job))
    return f"tasks were answered by {version}"
