"""Parts of a job's work that free workers take. What they do is in the pool or the cache; nothing waits for them."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import structlog

from backend.errors import QueueError, ShortlistError
from backend.jobs.run import TRANSIENT, job_services
from backend.pool import jobs, projects
from backend.pool.database.lock import turn
from backend.projects.job import Job
from backend.queue.kinds import MOST_SHARDS, SHARDS, shard
from model.errors import ModelError

log = structlog.get_logger(__name__)

LOOK_SECONDS = 1.0  # how often a job looks for free workers


class Shards:
    """The parts of a job's present run: each is begun once, and only where a worker has nothing else to do."""

    def __init__(self, job: Job, kind: str) -> None:
        """`kind`: one of SHARDS."""
        self._job, self._kind, self._looked = job, kind, 0.0
        self._numbers = set(range(1, MOST_SHARDS + 1))

    def spread(self) -> None:
        """Begin as many further parts as workers are free; asked for at any time, looks now and then."""
        if time.monotonic() < self._looked + LOOK_SECONDS:
            return
        self._looked, queue = time.monotonic(), self._job.services.queue
        with suppress(QueueError):  # then nobody helps
            free = queue.idle(self._kind)
            for number in sorted(self._numbers):
                if not free:
                    break
                if queue.ensure(shard(self._kind, number), self._job.number):
                    self._numbers.remove(number)
                    free -= 1


def run_shard(kind: str, project: int, number: int, work: Callable[[Job, int], str]) -> None:
    """Do part `number`, unless the job that it is of has ended. What goes wrong ends the part alone: its job meets the
    same, and tells people."""
    job, name = Job(job_services(), kind, project), shard(kind, number)
    structlog.contextvars.clear_contextvars()
    with (
        structlog.contextvars.bound_contextvars(job=name, project=project),
        turn(job.services.engine, f"{name}-{project}") as engine,
    ):
        if engine is None or projects.get(engine, project) is None or not wanted(job):
            return
        try:
            text = work(Job(replace(job.services, engine=engine), kind, project), number)
        except (ShortlistError, ModelError, *TRANSIENT) as error:
            log.info("part ended early", reason=str(error))
        except Exception:
            log.exception("part ended early")
        else:
            log.info("part done", result=text)


def wanted(job: Job) -> bool:
    """Whether the job that this is a part of is under way, and nobody has paused the project."""
    row = jobs.get(job.services.engine, job.number).get(SHARDS[job.kind])
    return row is not None and (row.again or row.state in ("queued", "running")) and not job.paused


def place(number: int) -> float:
    """Where part `number` begins, in [0, 1): 1/2, 1/4, 3/4, 1/8, ...: far from the others, however many there are
    (J. G. van der Corput)."""
    found, step = 0.0, 0.5
    while number:
        found, number, step = found + step * (number & 1), number >> 1, step / 2
    return found
