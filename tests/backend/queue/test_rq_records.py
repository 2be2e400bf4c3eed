"""What Redis keeps until a time: whatever lies further ahead than anybody could have asked for is put right."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from rq import Queue

from backend.pool import jobs
from backend.queue.job_queue import JobQueue
from backend.queue.kinds import LONGEST_WAIT_SECONDS, QUEUES, SILENCE_SECONDS
from backend.queue.rq_records import put_right
from backend.queue.worker import JobWorker

HOUR = 3600


@pytest.fixture
def queue(redis_url: str, sqlite_engine: sa.Engine) -> Iterator[JobQueue]:
    found = JobQueue(redis_url, sqlite_engine)
    yield found
    found.connection.close()


def queues(queue: JobQueue) -> list[Queue]:
    return [queue._queue(kind) for kind in ("publish", "train", "annotate")]


def test_a_killed_workers_job_is_not_under_way_for_hours(queue: JobQueue) -> None:
    """The clock was set back after the worker had said for the last time that it lives."""
    now = time.time()
    queue.connection.zadd("rq:wip:train", {"train-7:dead": now + 3 * HOUR, "train-8:alive": now + 10})
    assert put_right(queue.connection, queues(queue)) == 1
    times = dict(queue.connection.zrange("rq:wip:train", 0, -1, withscores=True))
    assert times[b"train-7:dead"] <= time.time() + SILENCE_SECONDS
    assert times[b"train-8:alive"] == pytest.approx(now + 10)
    assert put_right(queue.connection, queues(queue)) == 0


@pytest.mark.parametrize(("hours", "set_back", "due"), [(3, False, True), (0.5, False, False), (0.5, True, True)])
def test_a_job_that_waits_for_its_time_does_not_wait_for_hours(
    queue: JobQueue, hours: float, set_back: bool, due: bool
) -> None:
    queue.enqueue("train", 7, delay_seconds=hours * HOUR)
    assert put_right(queue.connection, queues(queue), set_back) == int(due)
    (when,) = (score for _, score in queue.connection.zrange("rq:scheduled:train", 0, -1, withscores=True))
    assert (when <= time.time()) is due
    assert queue.place("train", 7) == "scheduled"


def test_the_locks_of_a_killed_worker_do_not_last_for_hours(queue: JobQueue) -> None:
    for name in ("rq:scheduler-lock:train", "rq:clean_registries:train"):
        queue.connection.set(name, "dead", ex=3 * HOUR)
    queue.connection.set("rq:scheduler-lock:publish", "alive", ex=61)
    assert put_right(queue.connection, queues(queue)) == 2
    assert queue.connection.ttl("rq:scheduler-lock:train") <= 61
    assert queue.connection.ttl("rq:clean_registries:train") <= 899


def test_one_more_run_whose_time_a_former_clock_wrote_comes_at_once(queue: JobQueue, sqlite_engine: sa.Engine) -> None:
    jobs.begin(sqlite_engine, 7, "annotate")
    jobs.ask_again(sqlite_engine, 7, "annotate", round(time.time() + LONGEST_WAIT_SECONDS + HOUR) * 1000)
    assert queue.run_again("annotate", 7)
    assert queue.place("annotate", 7) == "waiting"


def test_a_worker_that_redis_forgot_is_known_again(queue: JobQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = JobWorker(queue)
    worker.register_birth()
    worker.set_state("idle")
    queue.connection.flushall()
    worker.heartbeat()
    assert queue.workers() == []
    worker.run_maintenance_tasks()
    (found,) = queue.workers()
    assert (found.name, set(found.queues), found.state) == (worker.name, set(QUEUES), "idle")
    assert not worker.should_run_maintenance_tasks
    worker.maintenance_interval = -1
    assert worker.should_run_maintenance_tasks
