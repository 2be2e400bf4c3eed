"""The queue on a real Redis: unique jobs, the one more run, and what survives a lost Redis."""

from __future__ import annotations

import gc
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from rq import Queue
from rq.job import Job
from rq.registry import ScheduledJobRegistry
from rq.serializers import JSONSerializer

from backend.errors import QueueError
from backend.pool import jobs
from backend.queue import job_queue as queue_module
from backend.queue.job_queue import JobQueue, job_id
from backend.queue.kinds import QUEUES
from backend.queue.rq_records import forget_dead_executions
from backend.queue.worker import JobWorker
from tests.support.preloaded import context
from tests.support.servers import RedisServer


@pytest.fixture
def queue(redis_url: str, sqlite_engine: sa.Engine) -> Iterator[JobQueue]:
    opened = JobQueue(redis_url, sqlite_engine)
    yield opened
    opened.connection.close()


def waiting_ids(queue: JobQueue, name: str) -> list[str]:
    return list(Queue(name, connection=queue.connection, serializer=JSONSerializer).job_ids)


def test_a_job_is_queued_with_ids_only_and_as_json(queue: JobQueue) -> None:
    assert queue.enqueue("train", 7) == "queued"
    assert waiting_ids(queue, "train") == ["train-7"]
    job = Job.fetch("train-7", connection=queue.connection, serializer=JSONSerializer)
    assert (job.func_name, job.args, job.result_ttl) == ("backend.jobs.train.run", [7], 0)
    assert job.failure_ttl == queue_module.FAILURE_SECONDS
    assert job.meta == {queue_module.RUNS: 0}


def test_a_job_knows_how_many_runs_had_begun_when_it_was_asked_for(queue: JobQueue) -> None:
    for _ in range(2):
        jobs.begin(queue.engine, 7, "train")
    queue.enqueue("train", 7)
    job = Job.fetch("train-7", connection=queue.connection, serializer=JSONSerializer)
    assert job.meta == {queue_module.RUNS: 2}


def test_every_kind_goes_to_its_queue(queue: JobQueue) -> None:
    for kind in ("publish", "sync", "train", "annotate"):
        queue.enqueue(kind, 1)
    assert queue.waiting() == {"publish": 2, "train": 1, "teacher": 1}
    assert {kind: row.state for kind, row in jobs.get(queue.engine, 1).items()} == dict.fromkeys(
        ("publish", "sync", "train", "annotate"), "queued"
    )


def test_asked_for_again_while_it_waits_it_is_joined(queue: JobQueue) -> None:
    assert queue.enqueue("train", 7) == "queued"
    assert queue.enqueue("train", 7) == "joined"
    assert queue.enqueue("train", 8) == "queued"
    assert waiting_ids(queue, "train") == ["train-7", "train-8"]


def test_many_threads_and_processes_queue_it_once(queue: JobQueue, redis_url: str) -> None:
    with ThreadPoolExecutor(8) as threads:
        first = list(threads.map(lambda _: queue.enqueue("train", 7), range(40)))
    with context().Pool(3) as processes:
        second = processes.map(_enqueue_elsewhere, [redis_url] * 9)
    assert first.count("queued") == 1
    assert set(second) == {"joined"}
    assert waiting_ids(queue, "train") == ["train-7"]


def _enqueue_elsewhere(url: str) -> str:
    return JobQueue(url).enqueue("train", 7)


def test_a_scheduled_job_is_pulled_forward_and_never_pushed_back(queue: JobQueue) -> None:
    registry = ScheduledJobRegistry("train", connection=queue.connection, serializer=JSONSerializer)
    assert queue.enqueue("train", 7, delay_seconds=300) == "queued"
    assert queue.place("train", 7) == "scheduled"
    due = registry.get_scheduled_time("train-7")
    assert queue.enqueue("train", 7, delay_seconds=900) == "joined"
    assert registry.get_scheduled_time("train-7") == due
    assert queue.enqueue("train", 7) == "joined"
    assert queue.place("train", 7) == "waiting"
    assert registry.get_job_ids() == []


def pop(queue: JobQueue, name: str) -> tuple[JobWorker, Job]:
    """Take the next job as a worker does, up to the moment at which it starts to run."""
    worker = JobWorker(queue, (name,))
    taken = Queue.dequeue_any(
        worker.queues, None, connection=queue.connection, job_class=Job, serializer=JSONSerializer
    )
    assert taken is not None
    return worker, taken[0]


def test_asked_for_while_it_runs_it_runs_exactly_once_more(queue: JobQueue, sqlite_engine: sa.Engine) -> None:
    queue.enqueue("train", 7)
    worker, job = pop(queue, "train")
    worker.prepare_execution(job)
    jobs.begin(sqlite_engine, 7, "train")
    assert queue.place("train", 7) == "running"
    assert [queue.enqueue("train", 7) for _ in range(3)] == ["again"] * 3
    jobs.finish(sqlite_engine, 7, "train")
    job.delete()
    assert queue.run_again("train", 7) is True
    assert waiting_ids(queue, "train") == ["train-7"]
    assert queue.run_again("train", 7) is False


def test_what_was_asked_for_before_a_run_began_is_part_of_it(queue: JobQueue, sqlite_engine: sa.Engine) -> None:
    queue.enqueue("train", 7)
    worker, job = pop(queue, "train")
    worker.prepare_execution(job)
    assert queue.enqueue("train", 7) == "again"
    jobs.begin(sqlite_engine, 7, "train")
    jobs.finish(sqlite_engine, 7, "train")
    job.delete()
    assert queue.run_again("train", 7) is False


def test_a_record_of_a_failed_or_finished_job_is_in_nobodys_way(queue: JobQueue) -> None:
    queue.enqueue("train", 7)
    worker, job = pop(queue, "train")
    worker.prepare_execution(job)
    job.retries_left = 0
    job.save()
    worker.handle_job_failure(job, worker.queues[0], exc_string="gone")
    assert job.get_status(refresh=True).value == "failed"
    assert queue.place("train", 7) == "over"
    assert queue.enqueue("train", 7) == "queued"
    assert waiting_ids(queue, "train") == ["train-7"]


def test_the_record_of_a_killed_workers_execution_is_in_nobodys_way(queue: JobQueue) -> None:
    queue.enqueue("train", 7)
    worker, job = pop(queue, "train")
    execution = worker.prepare_execution(job)
    queue.connection.delete(execution.key)  # as Redis does when its time is over
    queue.connection.delete(job.started_job_registry.key)
    with pytest.raises(ValueError, match="not found in Redis"):
        job.delete()
    assert queue.ensure("train", 7) is False  # it may still be on its way to a worker
    forget_dead_executions(job)
    job.delete()
    assert queue.ensure("train", 7) is True


def test_a_sign_of_life_after_the_end_hinders_no_later_run(queue: JobQueue) -> None:
    """The worker's heartbeat falls into the moment after its job has ended and its record was deleted."""
    queue.enqueue("train", 7)
    worker, job = pop(queue, "train")
    worker.prepare_execution(job)
    late = worker.execution
    assert late is not None
    with queue.connection.pipeline() as pipeline:
        worker.cleanup_execution(job, pipeline=pipeline)
        pipeline.execute()
    job.delete()
    with queue.connection.pipeline() as pipeline:
        late.heartbeat(job.started_job_registry, queue_module.ALIVE_SECONDS, pipeline)
        pipeline.execute()
    assert queue.enqueue("train", 7) == "queued"
    again = Job.fetch("train-7", connection=queue.connection, serializer=JSONSerializer)
    forget_dead_executions(again)
    assert again.execution_registry.get_execution_ids() == []
    again.delete()


def test_a_job_lost_between_queue_and_worker_is_replaced_after_a_while(
    queue: JobQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue.enqueue("train", 7)
    queue.connection.lpop("rq:queue:train")
    assert queue.place("train", 7) == "limbo"
    assert queue.enqueue("train", 7) == "joined"
    monkeypatch.setattr(queue_module, "LIMBO_SECONDS", -1)
    assert queue.enqueue("train", 7) == "queued"
    assert waiting_ids(queue, "train") == ["train-7"]


def test_ensure_starts_what_is_missing_and_never_asks_for_one_more_run(
    queue: JobQueue, sqlite_engine: sa.Engine
) -> None:
    assert queue.ensure("annotate", 3) is True
    assert queue.ensure("annotate", 3) is False
    worker, job = pop(queue, "teacher")
    worker.prepare_execution(job)
    jobs.begin(sqlite_engine, 3, "annotate")
    assert queue.ensure("annotate", 3) is False
    assert jobs.get(sqlite_engine, 3)["annotate"].again is False


def test_a_waiting_job_can_be_taken_back(queue: JobQueue) -> None:
    assert queue.cancel("train", 7) is False
    queue.enqueue("train", 7)
    assert queue.cancel("train", 7) is True
    assert queue.place("train", 7) == "absent"


def test_workers_are_listed_while_they_live(queue: JobQueue) -> None:
    assert queue.workers() == []
    worker = JobWorker(queue)
    worker.register_birth()
    (found,) = queue.workers()
    assert (found.name, set(found.queues)) == (worker.name, set(QUEUES))
    worker.register_death()
    assert queue.workers() == []


def test_a_worker_that_was_silent_too_long_is_not_listed(queue: JobQueue) -> None:
    worker = JobWorker(queue)
    worker.register_birth()
    queue.connection.hset(worker.key, "last_heartbeat", "2020-01-01T00:00:00.000000Z")
    assert queue.workers() == []


def test_without_redis_the_pool_keeps_the_wish(tmp_path: Path, sqlite_engine: sa.Engine) -> None:
    server = RedisServer(tmp_path)
    server.start()
    queue = JobQueue(server.url, sqlite_engine)
    queue.ping()
    server.stop()
    with pytest.raises(QueueError, match="Redis cannot be used"):
        queue.enqueue("train", 7)
    assert jobs.get(sqlite_engine, 7)["train"].state == "queued"
    jobs.begin(sqlite_engine, 7, "train")
    with pytest.raises(QueueError):
        queue.enqueue("train", 7)
    row = jobs.get(sqlite_engine, 7)["train"]
    assert (row.state, row.again) == ("running", True)
    with pytest.raises(QueueError):
        queue.workers()


def test_whoever_waits_for_a_page_does_not_wait_for_redis() -> None:
    """Redis hangs up on everybody: there is one more try, for a connection that has gone stale."""
    accepted = 0
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up() -> None:
            nonlocal accepted
            while True:
                try:
                    server.accept()[0].close()
                except OSError:
                    return
                accepted += 1

        thread = threading.Thread(target=hang_up)
        thread.start()
        queue = JobQueue(f"redis://127.0.0.1:{server.getsockname()[1]}/0")
        with pytest.raises(QueueError, match="Redis cannot be used"):
            queue.ping()
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
    assert accepted == 2


def test_a_queue_that_nobody_holds_leaves_no_connection_open(redis_url: str) -> None:
    queue = JobQueue(redis_url)
    queue.ping()
    (connection,) = queue.connection.connection_pool._available_connections
    queue.__dict__["itself"] = queue  # not freed before the garbage collector looks, which knows no order
    assert connection.is_connected
    del queue
    gc.collect()
    assert not connection.is_connected


def test_the_setting_is_named_when_it_is_missing_or_malformed() -> None:
    with pytest.raises(QueueError, match="REDIS_URL is not set"):
        JobQueue("").ping()
    with pytest.raises(QueueError, match="REDIS_URL is not an address"):
        JobQueue("http://nowhere").ping()


def test_retries_follow_the_growing_intervals(queue: JobQueue) -> None:
    queue.enqueue("publish", 1)
    job = Job.fetch(job_id("publish", 1), connection=queue.connection, serializer=JSONSerializer)
    waits = []
    while job.retries_left:
        waits.append(job.get_retry_interval())
        job.retries_left -= 1
    assert waits == queue_module.RETRY_SECONDS
    assert waits == sorted(waits)


def test_a_job_that_ends_while_it_is_looked_at_is_absent(queue: JobQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    queue.enqueue("train", 7)
    fetch = queue._fetch

    def ends(kind: str, project: int) -> Job | None:
        job = fetch(kind, project)
        if job is not None:
            job.delete()
        return job

    monkeypatch.setattr(queue, "_fetch", ends)
    assert queue.place("train", 7) == "absent"
