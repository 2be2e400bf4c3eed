"""What waits for a worker of a project, so that longer work gives way to it."""

from __future__ import annotations

from redis.exceptions import RedisError

from backend.errors import QueueError
from backend.jobs.run import Job


def training_waits(job: Job) -> bool:
    """Whether a training of this project waits for a worker: perhaps for this one."""
    try:
        return job.services.queue.place("train", job.number) == "waiting"
    except (QueueError, RedisError):
        return False
