"""The whole chain in real workers, from new tasks to a served student; killed anywhere, nothing is lost or doubled."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import psutil
import pytest
from rq.exceptions import StopRequested

from backend.errors import QueueError
from backend.pool import jobs, versions
from backend.queue.job_queue import JobQueue
from backend.queue.worker import JobWorker, Scheduler
from backend.services import Services
from benchmarks.shared.waiting import wait_for
from model.loading import load_version
from model.registry import Registry
from tests.support.checks import check_all_is_well, fill
from tests.support.holding import Holding
from tests.support.preloaded import Preloaded
from tests.support.servers import RedisServer
from tests.support.world import World

TOLD = (  # of a Redis that was lost: which of them is a matter of milliseconds
    "Redis had lost this job",
    "Redis had forgotten its workers",
    "A worker broke off, as it does when Redis is",
)


def connect_by_hand(world: World) -> None:
    url = world.services.settings.backend_url
    world.double.connections[500] = {"id": 500, "url": url, "title": "by hand", "state": "CO"}
    world.double.fields["model_version"] = "by hand"


def test_from_new_tasks_to_a_served_student(world: World) -> None:
    truth = fill(world)
    connect_by_hand(world)
    world.services.queue.enqueue("sync", 7)
    log = world.run_jobs()
    served = check_all_is_well(world, truth)
    assert served == f"student-2-{world.project.space_hash}"  # the first one knew no candidate set yet
    assert world.double.connections[500]["title"] == world.double.fields["model_version"] == served
    row, first = versions.list_versions(world.engine, 7)
    assert (row.state, row.human_labels, first.state) == ("promoted", 24, "retired")
    assert row.metrics["candidate_sets"] == len(truth)
    assert row.metrics["training"]["method"] == "shortlist"
    settings = world.services.settings
    student = load_version(Registry(settings.model_dir, settings.cache_dir / "fetched").fetch(7, served))
    assert student.space == world.project.space
    assert world.project.trained_changes == world.project.changes == 24
    assert "0123456789abcdef" not in log


def worker_processes(pid: int) -> list[psutil.Process]:
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]


def _some_alive(processes: Iterable[psutil.Process]) -> bool:
    return any(_alive(process) for process in processes)


KILLS = (("annotate", "", "job"), ("train", "judging", "job"), ("train", "comparing", "worker"),
         ("publish", "sending", "worker"))  # fmt: skip


def test_killed_in_the_middle_of_jobs(world: World) -> None:
    truth = fill(world)
    world.services.queue.enqueue("sync", 7)
    holding = Holding(world.folder / "hold")
    holding.ask(*KILLS[0][:2])
    worker = world.start_worker(holding=holding)
    others: list[psutil.Process] = []
    try:
        for (kind, _, victim), following in zip(KILLS, [*KILLS[1:], None], strict=True):
            holding.wait(kind)
            others += worker_processes(worker.pid)
            if victim == "worker":
                worker.kill()
                worker.wait()
                wait_for("the end of its children", lambda dead=tuple(others): not _some_alive(dead), 240, 0.02)
            else:
                _job_process(worker.pid).send_signal(signal.SIGKILL)
            holding.release(kind)
            if following:
                holding.ask(*following[:2])
            if victim == "worker":
                worker = world.start_worker(holding=holding)
        world.await_student()
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.wait(240)
    check_all_is_well(world, truth)
    assert "Its process was killed. It was started again by itself." in world.told()
    assert not _some_alive(others)


def test_redis_is_lost_with_everything_in_it(world: World, tmp_path: Path) -> None:
    """Twice. It comes back empty, then with what it had written to disk; the pool knows what is missing, and the worker
    finds the way back by itself."""
    server = RedisServer(tmp_path, appendonly=True)
    server.start()
    own = JobQueue(server.url, world.engine)
    settings = world.services.settings.model_copy(update={"REDIS_URL": server.url})
    world.services = Services(settings, world.engine, own)
    truth = fill(world)
    own.enqueue("sync", 7)
    holding = Holding(tmp_path / "hold")
    holding.ask("train", "judging")
    worker = world.start_worker(holding=holding)
    try:
        holding.wait("train")
        server.kill()
        with pytest.raises(QueueError):
            own.enqueue("train", 7)
        server.lose()
        server.start()
        holding.ask("publish", "sending")
        holding.release("train")
        holding.wait("publish")
        server.kill()
        holding.release("publish")
        wait_for("the end of a job without Redis", lambda: _state(world, "publish") == "idle", 240, 0.05)
        server.start()
        world.await_student()
        wait_for("what people are told of it", lambda: any(words in world.told() for words in TOLD), 240, 0.05)
    finally:
        worker.send_signal(signal.SIGTERM)
        code = worker.wait(240)
        server.stop()
        own.connection.close()
    assert code == 0
    check_all_is_well(world, truth)


ASKED_WHILE_TIDYING = """
import os
import signal

from backend.cli import main
from backend.queue.worker import JobWorker


def look(self):
    try:
        os.kill(os.getpid(), signal.SIGTERM)
    except Exception:
        pass
    return False


JobWorker._may_lack_work = look
main()
"""


def test_a_worker_asked_to_stop_while_a_library_tidies_up_ends(world: World) -> None:
    """SQLAlchemy swallows what is raised while it takes a connection back."""
    command = [sys.executable, "-c", ASKED_WHILE_TIDYING, "worker"]
    worker = Preloaded(command, world.environment(), world.folder, world.folder / "worker.log")
    try:
        assert worker.wait(240) == 0
    finally:
        worker.kill()


def test_a_stopping_worker_ends_even_if_its_scheduler_is_deaf(world: World) -> None:
    worker = JobWorker(world.services.queue)
    worker.scheduler = Deaf([], connection=world.services.queue.connection)
    worker.scheduler.start()
    process = worker.scheduler._process
    worker.stop_scheduler()
    assert not process.is_alive()
    worker.stop_requested = True
    worker.run_maintenance_tasks()
    assert worker.scheduler._process is process
    assert world.services.queue.place("reconcile", 0) == "absent"


def test_spare_time_is_used_while_no_job_waits_and_between_two(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(JobWorker, "maintenance_due", False)  # it queues a job of its own
    done: list[int] = []
    queue = world.services.queue
    steps = [partial(done.append, number) for number in range(4)]
    worker = JobWorker(queue)
    worker.spare_time = steps
    for number in (1, 2):
        queue.ensure("sync", number)
    first = worker.dequeue_job_and_maintain_ttl(1, 1)
    assert (first and first[0].id, done) == ("sync-1", [])
    second = worker.dequeue_job_and_maintain_ttl(1, 1)
    assert (second and second[0].id, done) == ("sync-2", [0])
    assert worker.dequeue_job_and_maintain_ttl(None) is None
    assert done == [0]  # a burst has none
    assert worker.dequeue_job_and_maintain_ttl(1, 1) is None
    assert done == [0, 1, 2, 3]
    assert steps == []


def test_a_worker_that_is_asked_to_stop_in_its_spare_time_does_no_more_of_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(JobWorker, "maintenance_due", False)
    done: list[str] = []

    def stopped() -> None:
        done.append("stopped")
        worker.stop_requested = True

    worker = JobWorker(world.services.queue)
    worker.spare_time = [stopped, partial(done.append, "more")]
    with pytest.raises(StopRequested):
        worker.dequeue_job_and_maintain_ttl(1, 1)
    assert done == ["stopped"]


class Deaf(Scheduler):
    """A scheduler process that ignores SIGTERM, as one that was forked a moment ago does."""

    def work(self) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        while True:
            time.sleep(1)


def _state(world: World, kind: str) -> str | None:
    row = jobs.get(world.engine, 7).get(kind)
    return row.state if row else None


def _alive(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:  # it went between the two questions
        return False


def _job_process(pid: int) -> psutil.Process:
    """The forked process that runs the job: it leads a process group of its own."""
    return next(child for child in psutil.Process(pid).children() if os.getpgid(child.pid) == child.pid)
