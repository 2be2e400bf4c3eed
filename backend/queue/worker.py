# mypy: disable-error-code="no-untyped-call"
"""The worker: RQ's, with short heartbeats, so that a killed one is replaced within seconds.

Its jobs run in processes of their own, forked from it; on a Mac, where a process with threads must not be forked, they
are started anew."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from typing import Any

import structlog
from redis.client import Pipeline, PubSubWorkerThread
from redis.exceptions import RedisError
from rq import Queue
from rq.exceptions import InvalidJobOperation
from rq.job import Job
from rq.registry import StartedJobRegistry
from rq.scheduler import RQScheduler
from rq.scheduler import run as schedule
from rq.serializers import JSONSerializer
from sqlalchemy.exc import SQLAlchemyError

from backend.errors import QueueError
from backend.pool import rest
from backend.pool.database.engine import now_ms
from backend.queue.clock_watch import ClockWatch
from backend.queue.job_queue import JobQueue
from backend.queue.kinds import KINDS, QUEUES, SILENCE_SECONDS
from backend.queue.rq_records import forget_dead_executions, put_right
from backend.queue.spare_time import SpareTimeWorker, Things

log = structlog.get_logger(__name__)

MONITORING_SECONDS = 5  # a busy worker says so often that it lives
MAINTENANCE_SECONDS = 10  # how often an idle worker looks for killed and missing jobs
RECONNECT_SECONDS = 1
GRACE_SECONDS = 5  # how long the scheduler may take to end
FORGOTTEN = "Redis had forgotten its workers: it was emptied. What was asked of them is in the pool and goes on."
BROKEN_OFF = "A worker broke off, as it does when Redis is gone. It began anew; what was asked of it is in the pool."
SPAWNS = sys.platform == "darwin"
WORKER_TTL_SECONDS = 25  # RQ waits 15 s less for the next job before it does its maintenance


class Scheduler(RQScheduler):
    """RQ's scheduler process, which would go on for ever if its worker is killed: it ends with it."""

    def start(self) -> Any:
        """Begin the process."""
        if not SPAWNS:
            return super().start()
        self._status = self.Status.STARTED
        self._connection = None  # it opens one of its own
        process = multiprocessing.get_context("spawn").Process(target=schedule, args=(self,), name="Scheduler")
        process.start()
        self.__dict__["_process"] = process  # RQ's own is a forked one
        return process

    def heartbeat(self) -> None:
        """Called every second."""
        parent = self.__dict__.setdefault("_parent", os.getppid())
        if os.getppid() != parent:
            self.request_stop()
        super().heartbeat()


class JobWorker(SpareTimeWorker):
    """Runs every job in a process that ends with the worker, and then queues the one more run asked for.

    At every maintenance it queues the reconciling job, which starts what is missing, if anything may be. When that is
    due, and how long a job has run, is measured by a clock that nobody can set.
    """

    def __init__(self, queue: JobQueue, queues: tuple[str, ...] = QUEUES, process_of: str = "") -> None:
        """`process_of`: the name of the worker whose job this process runs; "" in a worker itself."""
        self._jobs = queue
        self._clock = ClockWatch()
        self._set_back = False
        self._maintained: float | None = None
        self._job_began = 0.0
        super().__init__(
            [Queue(name, connection=queue.connection, serializer=JSONSerializer) for name in queues],
            process_of or None,
            prepare_for_work=not process_of,
            connection=queue.connection,
            serializer=JSONSerializer,
            job_monitoring_interval=MONITORING_SECONDS,
            maintenance_interval=MAINTENANCE_SECONDS,
            worker_ttl=WORKER_TTL_SECONDS,
            log_job_description=False,
        )

    def fork_work_horse(self, job: Job, queue: Queue) -> None:
        """Start the process that runs a job; one that is started anew leads a process group of its own, too."""
        if not SPAWNS:
            super().fork_work_horse(job, queue)
            return
        execution = self.execution.id if self.execution else ""
        command = [sys.executable, "-m", "backend.queue.job_process", self.name, queue.name, job.id, execution]
        self._horse_pid = os.posix_spawn(sys.executable, command, os.environ, setpgroup=0)

    def monitor_work_horse(self, job: Job, queue: Queue) -> None:
        """Wait for the job's process, which has just begun."""
        self._job_began = time.monotonic()
        super().monitor_work_horse(job, queue)

    def set_current_job_working_time(self, current_job_working_time: float, pipeline: Pipeline | None = None) -> None:
        """Called with 0 when no job runs, else with how long it has by a clock that may have been set."""
        if current_job_working_time:
            current_job_working_time = time.monotonic() - self._job_began
        super().set_current_job_working_time(current_job_working_time, pipeline)

    def maintain_heartbeats(self, job: Job) -> None:
        """A job goes on while Redis is away: its work is in the pool."""
        self._look_at_clock()
        try:
            self._register_again()
            super().maintain_heartbeats(job)
        except RedisError as error:
            log.warning("Redis is away, the job goes on", job=job.id, reason=str(error))

    def abandon(self) -> None:
        """After a fault: leave no process and no thread behind. The job that ran, if any, is started again later."""
        if self.horse_pid:
            self.kill_horse()
            self.wait_for_horse()
        if self.scheduler:
            self.stop_scheduler()
        listener: PubSubWorkerThread | None = self.pubsub_thread
        if listener is not None:
            listener.stop()

    def get_heartbeat_ttl(self, job: Job) -> int:
        """Seconds until the job counts as abandoned; RQ's own value is a minute longer."""
        return SILENCE_SECONDS

    @property
    def maintenance_due(self) -> bool:
        """Whether MAINTENANCE_SECONDS have passed."""
        return self._maintained is None or time.monotonic() - self._maintained > self.maintenance_interval

    def maintain(self) -> None:
        """RQ's own, then ours: look for work that is missing."""
        self._maintained = time.monotonic()
        self._look_at_clock()
        self._register_again()
        put_right(self.connection, self.queues, set_back=self._set_back)
        self._set_back = False
        super().maintain()
        try:
            if self._may_lack_work():
                self._jobs.ensure("reconcile", 0)
        except QueueError as error:
            log.warning("reconciling not started", reason=str(error))

    def _may_lack_work(self) -> bool:
        """Whether some project may; True where that cannot be told. No connection is left for a fork to share."""
        engine = self._jobs.engine
        if engine is None:
            return True
        try:
            return bool(rest.restless(engine, now_ms()))
        except SQLAlchemyError as error:
            log.warning("not known whether work is missing", reason=str(getattr(error, "orig", None) or error))
            return True
        finally:
            engine.dispose()

    def _look_at_clock(self) -> None:
        """Tell people if it was set; the next maintenance puts right what was written by it."""
        jump = self._clock.look()
        if jump is None:
            return
        log.warning("the clock was set", jump=str(jump))
        self._set_back = self._set_back or jump.seconds < 0
        self._jobs.tell(
            f"The clock of a worker's machine {jump}: it was set, or the machine slept. No label and no answer is lost "
            "by that; a training or a comparison may have come earlier than usual."
        )

    def _register_again(self) -> None:
        """Redis was emptied, or its clock was set forward: it does not know this worker any more."""
        if self.connection.hexists(self.key, "birth"):
            return
        self.connection.delete(self.key)
        self.register_birth()
        self.set_state(self.get_state())
        log.warning("Redis had forgotten this worker", worker=self.name)
        self._jobs.tell(FORGOTTEN)

    def stop_scheduler(self) -> None:
        """End the scheduler's process, which may be too young to understand a polite signal: RQ would wait for ever."""
        scheduler: Any = self.scheduler
        process = scheduler._process if scheduler else None
        if process is None or not process.pid:
            return
        for end in (process.terminate, process.kill):
            end()
            process.join(GRACE_SECONDS)
            if not process.is_alive():
                break
        with suppress(RedisError):
            scheduler.release_locks()

    def handle_job_success(self, job: Job, queue: Queue, started_job_registry: StartedJobRegistry) -> None:
        """A job that Redis forgot while it ran has ended all the same; RQ would take it for failed and repeat it."""
        try:
            job.get_status()
        except InvalidJobOperation:
            with self.connection.pipeline() as pipeline:
                self.cleanup_execution(job, pipeline=pipeline)
                pipeline.delete(job.key)
                pipeline.execute()
            log.warning("Redis has forgotten the job that has just ended", job=job.id)
            return
        super().handle_job_success(job, queue, started_job_registry)

    def perform_job(self, job: Job, queue: Queue) -> bool:
        """Runs in the forked process, which RQ would end without a word if anything were raised here."""
        _end_with_parent()
        try:
            forget_dead_executions(job)
            done = bool(super().perform_job(job, queue))
            self._run_again(job.id)
        except Exception as error:
            log.exception("the run broke off outside of the job", job=job.id, reason=str(error))
            raise
        return done

    def _run_again(self, name: str) -> None:
        kind, _, project = name.partition("-")
        if kind not in KINDS:
            return
        try:
            self._jobs.run_again(kind, int(project))
        except (QueueError, RedisError, SQLAlchemyError, ValueError) as error:  # the reconciling job finds the flag
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


def work_until_stopped(
    queue: JobQueue, queues: tuple[str, ...] = QUEUES, burst: bool = False, spare_time: Things | None = None
) -> None:
    """Work until somebody asks to stop (with `burst`, until no job is left). A lost Redis is waited for."""
    while True:
        worker = JobWorker(queue, queues)
        worker.spare_time = spare_time
        try:
            worker.work(burst=burst, with_scheduler=True, logging_level=None)
        except RedisError as error:
            log.warning("the worker lost Redis", reason=str(error))
        if burst or worker.stop_requested:
            return
        worker.abandon()
        queue.tell(BROKEN_OFF)
        for number in (signal.SIGINT, signal.SIGTERM):  # nothing runs now: a signal may end this process at once
            signal.signal(number, signal.SIG_DFL)
        _wait_for_redis(queue)


def _wait_for_redis(queue: JobQueue) -> None:
    while True:
        try:
            return queue.ping()
        except QueueError:
            time.sleep(RECONNECT_SECONDS)


def _end_with_parent() -> None:
    """A job must not go on when its worker was killed, because another worker is about to start it again."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, name="end-with-parent", daemon=True).start()
