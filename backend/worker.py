# mypy: disable-error-code="no-untyped-call"
"""The worker: RQ's forking worker with short heartbeats, so that a killed one is replaced within seconds."""

from __future__ import annotations

import os
import threading
import time

import structlog
from redis.exceptions import RedisError
from rq import Queue, Worker
from rq.job import Job
from rq.scheduler import RQScheduler
from rq.serializers import JSONSerializer

from backend.errors import QueueError
from backend.queue import QUEUES, JobQueue

log = structlog.get_logger(__name__)

MONITORING_SECONDS = 5  # a busy worker says so often that it lives
SILENCE_SECONDS = 20  # a job whose worker was silent for longer was killed and is started again
MAINTENANCE_SECONDS = 10  # how often an idle worker looks for killed and missing jobs
WORKER_TTL_SECONDS = 25  # RQ waits 15 s less for the next job before it does its maintenance


class Scheduler(RQScheduler):
    """RQ's scheduler process, which would go on for ever if its worker is killed: it ends with it."""

    def heartbeat(self) -> None:
        """Called every second."""
        parent = self.__dict__.setdefault("_parent", os.getppid())
        if os.getppid() != parent:
            self.request_stop()
        super().heartbeat()


class JobWorker(Worker):
    """Runs every job in a forked process that ends with the worker, and then queues the one more run asked for.

    At every maintenance it queues the reconciling job, which starts what is missing.
    """

    def __init__(self, queue: JobQueue, queues: tuple[str, ...] = QUEUES) -> None:
        self._jobs = queue
        super().__init__(
            [Queue(name, connection=queue.connection, serializer=JSONSerializer) for name in queues],
            connection=queue.connection,
            serializer=JSONSerializer,
            job_monitoring_interval=MONITORING_SECONDS,
            maintenance_interval=MAINTENANCE_SECONDS,
            worker_ttl=WORKER_TTL_SECONDS,
            log_job_description=False,
        )

    def get_heartbeat_ttl(self, job: Job) -> int:
        """Seconds until the job counts as abandoned; RQ's own value is a minute longer."""
        return SILENCE_SECONDS

    def run_maintenance_tasks(self) -> None:
        """RQ's own, then ours: look for work that is missing."""
        super().run_maintenance_tasks()
        try:
            self._jobs.ensure("reconcile", 0)
        except QueueError as error:
            log.warning("reconciling not started", reason=str(error))

    def perform_job(self, job: Job, queue: Queue) -> bool:
        """Runs in the forked process."""
        _end_with_parent()
        done = bool(super().perform_job(job, queue))
        self._run_again(job.id)
        return done

    def _run_again(self, name: str) -> None:
        kind, _, project = name.partition("-")
        try:
            self._jobs.run_again(kind, int(project))
        except (QueueError, RedisError, ValueError) as error:  # the reconciling job finds the flag in the pool
            log.warning("one more run not started yet", job=name, reason=str(error))

    def _start_scheduler(
        self, burst: bool = False, logging_level: str | None = "INFO", date_format: str = "", log_format: str = ""
    ) -> None:
        self.scheduler = Scheduler(self.queues, connection=self.connection, serializer=self.serializer)
        self.scheduler.acquire_locks()
        if not self.scheduler.acquired_locks:
            return
        if burst:
            self.scheduler.enqueue_scheduled_jobs()
            self.scheduler.release_locks()
        else:
            self.scheduler.start()


def _end_with_parent() -> None:
    """A job must not go on when its worker was killed, because another worker is about to start it again."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, name="end-with-parent", daemon=True).start()
