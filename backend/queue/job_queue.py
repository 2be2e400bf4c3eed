"""The job queue: RQ on Redis, with every job unique per kind and project, and "once more" while it runs."""

from __future__ import annotations

import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

import redis
import rq
import sqlalchemy as sa
import structlog
from redis.backoff import NoBackoff
from redis.lock import Lock
from redis.retry import Retry
from rq import Queue, Worker
from rq.exceptions import InvalidJobOperation, NoSuchJobError
from rq.job import Job, JobStatus
from rq.registry import ScheduledJobRegistry
from rq.serializers import JSONSerializer

from backend.errors import QueueError
from backend.pool import incidents, jobs
from backend.pool.database.engine import now_ms
from backend.queue.kinds import KINDS, LONGEST_WAIT_SECONDS, QUEUE_OF, QUEUES, Outcome, Place, split
from backend.queue.rq_records import forget_dead_executions

log = structlog.get_logger(__name__)

RETRY_SECONDS = [2, 5, 10, 20, 40, 60, 120, 300, 300, 300]  # RQ takes them in order only if there are max of them
TIMEOUT_SECONDS = 6 * 3600  # a job that runs longer is stuck
FAILURE_SECONDS = 60  # how long RQ keeps the record of a job that gave up; the pool keeps the error
LOCK_SECONDS = 10
LIMBO_SECONDS = 20  # a job that no list, registry or worker has had for so long was lost on the way
ALIVE_SECONDS = 60  # a worker that was silent for longer is gone
RUNS = "runs"  # in RQ's record of a job: how many had begun when it was asked for

OVER = (JobStatus.FINISHED, JobStatus.FAILED, JobStatus.STOPPED, JobStatus.CANCELED)


@dataclass(frozen=True)
class WorkerInfo:
    """One live worker: its name, the queues it listens on, and what it does (`idle`, `busy`, …)."""

    name: str
    queues: tuple[str, ...]
    state: str


class JobQueue:
    """Starts jobs. Connects when it is first used; every method raises QueueError while Redis cannot be reached.

    A job's id is `<kind>-<project>`, so that nothing runs twice at once. Asked for while it waits, the waiting job is
    joined; asked for while it runs, a flag in the pool makes it run exactly once more. The flag is read after the
    job's record is gone, under the same lock that asking takes, so no request falls between the two.
    """

    def __init__(self, redis_url: str, engine: sa.Engine | None = None, patient: bool = False) -> None:
        """`patient`: workers and jobs, for which nobody waits, try a while longer before they take Redis for lost."""
        self.redis_url = redis_url
        self.engine = engine
        self._patient = patient

    @cached_property
    def connection(self) -> redis.Redis:
        """The connection pool. Pages wait for it: there it tries once more, for a connection that has gone stale."""
        if not self.redis_url:
            raise QueueError("REDIS_URL is not set: set it, or use `shortlist start`, which starts a Redis")
        patience: dict[str, Any] = {"retry": Retry(NoBackoff(), 1), "socket_timeout": 3}
        if self._patient:
            patience = {"socket_timeout": 10}
        try:
            client = redis.Redis.from_url(self.redis_url, socket_connect_timeout=2, **patience)
        except ValueError as error:
            raise QueueError(f"REDIS_URL is not an address of Redis: {error}") from None
        weakref.finalize(self, client.close).atexit = False  # a queue that nobody holds any more leaves no socket open
        return client

    def enqueue(self, kind: str, project: int, delay_seconds: float = 0) -> Outcome:
        """Ask for a run of `kind` that starts after this call, at most one at a time per kind and project.

        A job that waits for its time is pulled forward when asked for sooner, never pushed back.
        """
        try:
            with self._redis(), self._lock(kind, project):
                return self._enqueue(kind, project, delay_seconds)
        except QueueError:
            self._remember(kind, project)
            raise

    def ensure(self, kind: str, project: int) -> bool:
        """Queue the job unless it waits or runs already; True if it was missing. Never asks for one more run."""
        with self._redis(), self._lock(kind, project):
            missing = self.place(kind, project) in ("absent", "over")
            if missing:
                self._create(kind, project, 0)
            return missing

    def run_again(self, kind: str, project: int) -> bool:
        """Called when a run has ended and its record is gone: queue the one more run that was asked for meanwhile."""
        with self._redis(), self._lock(kind, project):
            row = self._row(kind, project)
            if row is None or not row.again:
                return False
            wait = (row.due_ms - now_ms()) / 1000
            self._enqueue(kind, project, wait if 0 < wait <= LONGEST_WAIT_SECONDS else 0)  # else a clock was set back
            return True

    def cancel(self, kind: str, project: int) -> bool:
        """Take a waiting job back; True if there was one. A running job is left alone."""
        with self._redis(), self._lock(kind, project):
            if self.place(kind, project) not in ("waiting", "scheduled", "over"):
                return False
            self._delete(kind, project)
        return True

    def waits(self, kind: str, project: int) -> bool:
        """Whether the job waits for a worker: perhaps for the one that asks. Without Redis nothing does."""
        try:
            return self.place(kind, project) == "waiting"
        except (QueueError, redis.RedisError):
            return False

    def place(self, kind: str, project: int) -> Place:
        """Where the job is. `limbo`: between a queue and a worker, for milliseconds, or lost by a killed worker."""
        job = self._fetch(kind, project)
        if job is None:
            return "absent"
        queue = self._queue(kind)
        if job.id in queue.started_job_registry:
            self.connection.delete(_limbo_key(job.id))
            return "running"
        if self.connection.lpos(queue.key, job.id) is not None:
            return "waiting"
        if self.connection.zscore(ScheduledJobRegistry(queue=queue).key, job.id) is not None:
            return "scheduled"
        return self._place_nowhere(job)

    def _place_nowhere(self, job: Job) -> Place:
        """Of a job that no list has."""
        try:
            if job.get_status() in OVER:
                return "over"
        except InvalidJobOperation:  # it ended meanwhile, and its record went
            return "absent"
        return "limbo" if self._lately_seen_in_limbo(job.id) else "over"

    def workers(self) -> list[WorkerInfo]:
        """Workers that gave a sign of life within the last minute."""
        with self._redis():
            found = Worker.all(connection=self.connection, serializer=JSONSerializer)
            oldest = datetime.now(UTC) - timedelta(seconds=ALIVE_SECONDS)
            alive = [worker for worker in found if worker.last_heartbeat and worker.last_heartbeat > oldest]
            return [WorkerInfo(worker.name, tuple(worker.queue_names()), str(worker.get_state())) for worker in alive]

    def idle(self, kind: str) -> int:
        """How many workers would begin a job of this kind at once."""
        queue = QUEUE_OF[split(kind)[0]]
        return sum(worker.state == "idle" and queue in worker.queues for worker in self.workers())

    def tell(self, what: str) -> None:
        """Note for people what befell the workers. No connection stays open, which a fork would share."""
        if self.engine is None:
            return
        try:
            incidents.note(self.engine, incidents.EVERYWHERE, "", what)
        except sa.exc.SQLAlchemyError as error:
            log.warning("not told on the pages", what=what, reason=str(getattr(error, "orig", None) or error))
        finally:
            self.engine.dispose()

    def ahead_seconds(self) -> float:
        """By how much Redis' clock is ahead of ours."""
        with self._redis():
            seconds, micro = self.connection.time()
            return float(seconds) + float(micro) / 1e6 - time.time()

    def ping(self) -> None:
        """Return if Redis answers."""
        with self._redis():
            self.connection.ping()

    def waiting(self) -> dict[str, int]:
        """Number of jobs that wait in each queue."""
        with self._redis():
            return {name: Queue(name, connection=self.connection).count for name in QUEUES}

    def ages(self) -> dict[str, float]:
        """Seconds for which the first job of each queue has waited; 0 for an empty queue."""
        with self._redis():
            now = datetime.now(UTC)
            found = {}
            for kind, name in {queue: kind for kind, queue in QUEUE_OF.items()}.items():
                first = self._queue(name).get_job_ids(0, 1)
                job = Job.fetch_many(first, connection=self.connection, serializer=JSONSerializer) if first else [None]
                since = job[0].enqueued_at if job[0] is not None else None
                found[kind] = max(0.0, (now - since.replace(tzinfo=UTC)).total_seconds()) if since else 0.0
            return found

    def _enqueue(self, kind: str, project: int, delay_seconds: float) -> Outcome:
        place = self.place(kind, project)
        if place in ("absent", "over"):
            self._create(kind, project, delay_seconds)
            return "queued"
        if place == "running":
            if self.engine is not None and kind in KINDS:
                jobs.ask_again(self.engine, project, kind)
            return "again"
        if place == "scheduled" and self._due_later(kind, project, delay_seconds):
            self._create(kind, project, delay_seconds)
        return "joined"

    def _due_later(self, kind: str, project: int, delay_seconds: float) -> bool:
        due = self.connection.zscore(ScheduledJobRegistry(queue=self._queue(kind)).key, job_id(kind, project))
        return due is not None and float(due) > datetime.now(UTC).timestamp() + delay_seconds

    def _create(self, kind: str, project: int, delay_seconds: float) -> None:
        if self.engine is not None and kind in KINDS:
            jobs.queued(self.engine, project, kind)
        row = self._row(kind, project)
        self._delete(kind, project)
        queue, part = self._queue(kind), split(kind)[1]
        job = queue.create_job(
            f"backend.jobs.{split(kind)[0]}.run",
            args=(project, *([] if part is None else [part])),
            job_id=job_id(kind, project),
            timeout=TIMEOUT_SECONDS,
            result_ttl=0,
            failure_ttl=FAILURE_SECONDS,
            retry=rq.Retry(max=len(RETRY_SECONDS), interval=RETRY_SECONDS),
            meta={RUNS: row.runs if row is not None else 0},
        )
        if delay_seconds > 0:
            queue.schedule_job(job, datetime.now(UTC) + timedelta(seconds=delay_seconds))
        else:
            queue.enqueue_job(job)

    def _delete(self, kind: str, project: int) -> None:
        job = self._fetch(kind, project)
        if job is not None:
            forget_dead_executions(job)
            job.delete()
        self.connection.delete(_limbo_key(job_id(kind, project)))

    def _fetch(self, kind: str, project: int) -> Job | None:
        try:
            return Job.fetch(job_id(kind, project), connection=self.connection, serializer=JSONSerializer)
        except NoSuchJobError:
            return None

    def _lately_seen_in_limbo(self, name: str) -> bool:
        now = datetime.now(UTC).timestamp()
        self.connection.set(_limbo_key(name), now, nx=True, ex=60)
        seen = self.connection.get(_limbo_key(name))
        return seen is None or now - float(seen) < LIMBO_SECONDS

    def _queue(self, kind: str) -> Queue:
        return Queue(QUEUE_OF[split(kind)[0]], connection=self.connection, serializer=JSONSerializer)

    def _remember(self, kind: str, project: int) -> None:
        """Redis is away: keep the wish in the pool, where the reconciling job finds it."""
        if self.engine is None or kind not in KINDS:
            return
        row = self._row(kind, project)
        if row is not None and row.state == "running":
            jobs.ask_again(self.engine, project, kind)
        else:
            jobs.queued(self.engine, project, kind)

    def _row(self, kind: str, project: int) -> jobs.JobRow | None:
        return None if self.engine is None else jobs.get(self.engine, project).get(kind)

    def _lock(self, kind: str, project: int) -> Lock:
        name = f"shortlist:lock:{job_id(kind, project)}"
        lock: Lock = self.connection.lock(name, timeout=LOCK_SECONDS, blocking_timeout=LOCK_SECONDS, sleep=0.02)
        return lock

    @contextmanager
    def _redis(self) -> Iterator[None]:
        try:
            yield
        except redis.RedisError as error:
            raise QueueError(f"Redis cannot be used, no job was started: {error}") from error


def job_id(kind: str, project: int) -> str:
    """The RQ id of a job: unique per kind (of parts: with their number) and project."""
    return f"{kind}-{project}"


def _limbo_key(name: str) -> str:
    return f"shortlist:limbo:{name}"
