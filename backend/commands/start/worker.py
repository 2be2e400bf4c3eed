"""The worker that runs the jobs, as a part of the all-in-one command."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from backend.commands.start.data_dir import DataDir
from backend.commands.start.part import Part
from backend.errors import QueueError
from backend.queue.job_queue import JobQueue


def worker_part(data: DataDir, environment: Mapping[str, str]) -> Part:
    """One worker for all queues; ready once it is registered in Redis."""
    queue = JobQueue(environment["REDIS_URL"])
    return Part(
        name="Worker",
        command=(sys.executable, "-m", "backend", "worker"),
        environment=environment,
        log=data.path("logs") / "worker.log",
        ready=lambda: registered(queue),
        patience="starting",
    )


def registered(queue: JobQueue) -> bool:
    """Whether a worker has given a sign of life."""
    try:
        return bool(queue.workers())
    except QueueError:
        return False
