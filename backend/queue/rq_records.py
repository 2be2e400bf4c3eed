"""Times that Redis keeps of jobs and workers: put right where a clock was set back meanwhile.

RQ writes times of the worker's clock, and Redis those of its own. After a clock was set back by hours they lie hours
ahead: a killed worker would seem to live, and a job that waits for its time would wait on. None of them can be later
than what a living process could have written now; those that are were written before.
"""

from __future__ import annotations

import time
from typing import cast

import redis
import structlog
from rq import Queue
from rq.executions import Execution
from rq.job import Job
from rq.registry import ScheduledJobRegistry, StartedJobRegistry
from rq.scheduler import RQScheduler

from backend.queue.kinds import LONGEST_WAIT_SECONDS, SILENCE_SECONDS

log = structlog.get_logger(__name__)

SPARE_SECONDS = 120  # as much may clocks of several hosts differ
SCHEDULER_SECONDS = 61  # for how long RQ's scheduler takes its lock, which it renews every second
CLEANING_SECONDS = 899  # for how long RQ takes the lock of its maintenance


def put_right(connection: redis.Redis, queues: list[Queue], set_back: bool = False) -> int:
    """Shorten what lies too far ahead; how many entries. `set_back`: the clock of this machine was, a moment ago, so
    that whatever waits for its time is due: it then comes early, which harms nothing.

    A worker that lives says so again within seconds, and its entry is as it should be.
    """
    now, changed = time.time(), 0
    for queue in queues:
        started = StartedJobRegistry(queue=queue).key
        changed += _lower(connection, started, now + SILENCE_SECONDS + SPARE_SECONDS, now + SILENCE_SECONDS)
        scheduled = ScheduledJobRegistry(queue=queue).key
        changed += _lower(connection, scheduled, now + (0 if set_back else LONGEST_WAIT_SECONDS + SPARE_SECONDS), now)
        changed += _shorten(connection, RQScheduler.get_locking_key(queue.name), SCHEDULER_SECONDS)
        changed += _shorten(connection, queue.registry_cleaning_key, CLEANING_SECONDS)
    if changed:
        log.warning("times of a clock that was set back are put right", number=changed)
    return changed


def _lower(connection: redis.Redis, key: str, latest: float, value: float) -> int:
    """Entries of a sorted set beyond `latest` get `value`."""
    late = cast("list[bytes]", connection.zrangebyscore(key, f"({latest}", "+inf"))
    if late:
        connection.zadd(key, {str(name, "utf-8"): int(value) for name in late}, xx=True)
    return len(late)


def _shorten(connection: redis.Redis, key: str, seconds: int) -> int:
    """A lock that would last longer than its holder asked for."""
    if connection.ttl(key) <= seconds + SPARE_SECONDS:
        return 0
    connection.expire(key, seconds)
    return 1


def forget_dead_executions(job: Job) -> None:
    """Clear the list of a job's executions of those whose record is gone or only half there.

    RQ (2.12) keeps the entry of a killed worker's execution a minute longer than the record it points to, and meanwhile
    cannot delete the job: the next run would end well and be taken for failed. A worker that gives a sign of life at
    the very moment at which its job ends leaves a record that holds nothing but that sign, and no run could begin for
    twenty seconds.
    """
    registry = job.execution_registry
    for execution in registry.get_execution_ids():
        try:
            Execution.fetch(execution, job.id, connection=job.connection)
        except (ValueError, KeyError):
            job.connection.zrem(registry.key, execution)
