"""A job's process stands still, loses its lock to a successor, and goes on: nothing that it still writes counts."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import sqlalchemy as sa

from backend.jobs.run import TURNS
from backend.pool import candidates, incidents, jobs, tasks
from backend.pool.database.engine import open_engine
from backend.pool.database.lock import turn
from backend.pool.database.schema import SCHEMA
from backend.pool.text import text_hash
from backend.projects.current import current_of
from backend.projects.updates import remember
from backend.queue.job_queue import JobQueue
from backend.services import Services
from benchmarks.shared.waiting import wait_for
from tests.support.label_studio_double import CONFIG, LabelStudioDouble
from tests.support.preloaded import Preloaded
from tests.support.samples import answered
from tests.support.servers import PostgresServer
from tests.support.world import CREATED, World, messages

PROGRAM = """
import importlib, os, signal, sys

from backend.projects.job import Job

kind, words = sys.argv[1:]
said = Job.step


def step(self, text, progress=None):
    said(self, text, progress)
    if words in text:
        os.kill(os.getpid(), signal.SIGSTOP)


Job.step = step
importlib.import_module(f"backend.jobs.{kind}").run(7)
"""
CUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'held-up'"


@pytest.fixture
def shared(
    double: LabelStudioDouble, redis_url: str, postgres_server: PostgresServer, world: World, tmp_path: Path
) -> Iterator[World]:
    """The project in a PostgreSQL, with tasks, answers and a few labels of people."""
    with postgres_server.database(migrated=True) as url:
        engine = open_engine(url)
        settings = world.services.settings.model_copy(update={"DATABASE_URL": url})
        queue = JobQueue(redis_url, engine)
        found = World(double, Services(settings, engine, queue), tmp_path)
        remember(found.services, double.number, CREATED, CONFIG, title="tickets")
        try:
            fill(found)
            yield found
        finally:
            queue.connection.close()
            engine.dispose()


def fill(world: World) -> None:
    rows = messages(2)
    ids = world.double.add_tasks([text for text, _ in rows])
    given = dict(zip(ids, rows, strict=True))
    known = {task: text for task, (text, _) in given.items() if task != ids[0]}  # one is left to sync and annotate
    tasks.add(world.engine, 7, {ids[0]: given[ids[0]][0], **known})
    stored = [(task, text_hash(text), answered(given[task][1])) for task, text in known.items()]
    candidates.save(world.engine, 7, current_of(world.services, world.project).teacher_version, stored)
    for task in ids[:9]:
        world.double.annotate(task, [given[task][1]])


def start(world: World, kind: str, words: str, url: str) -> Preloaded:
    """The job in a process of its own, which stands still at the first step with these words."""
    log = world.folder / f"{kind}.log"
    command = [sys.executable, "-c", PROGRAM, kind, words]
    process = Preloaded(command, world.environment(DATABASE_URL=url), world.folder, log)

    def stopped() -> bool:
        assert process.poll() is None, log.read_text()[-3000:]
        return bool(psutil.Process(process.pid).status() == psutil.STATUS_STOPPED)

    wait_for(f"a {kind} that stands still", stopped, 300, 0.05)
    return process


def go_on(world: World, kind: str, process: Preloaded) -> None:
    process.send_signal(signal.SIGCONT)
    assert process.wait(300) == 0, (world.folder / f"{kind}.log").read_text()[-3000:]


def contents(world: World) -> dict[str, list[sa.Row[tuple[object, ...]]]]:
    """All rows but what people are told."""
    told = ("incidents",)
    with world.engine.connect() as connection:
        return {
            name: list(connection.execute(sa.select(table).order_by(*table.primary_key)))
            for name, table in SCHEMA.tables.items()
            if name not in told
        }


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("sync", "reading tasks"),
        ("annotate", "have been shown to the teacher"),
        ("train", "judging"),
        ("adapt", "comparing"),
        ("publish", "sending"),
    ],
)
def test_what_a_former_holder_writes_is_refused(shared: World, kind: str, words: str) -> None:
    url = str(shared.services.settings.database_url)
    jobs.queued(shared.engine, 7, kind)
    process = start(shared, kind, words, f"{url}{'&' if '?' in url else '?'}application_name=held-up")
    try:
        name = f"{TURNS.get(kind, kind)}-7"
        with turn(shared.engine, name) as too_early:
            assert too_early is None
        with shared.engine.connect() as connection:  # as a network does that was away for a while
            assert len(connection.exec_driver_sql(CUT).all()) >= 1

        def mine() -> bool:
            with turn(shared.engine, name) as successor:
                if successor is not None:
                    jobs.begin(successor, 7, kind)
                    jobs.step(successor, 7, kind, "the successor is at it")
                return successor is not None

        wait_for("the lock", mine, 240, 0.05)
        before, sent = contents(shared), writes(shared)
        go_on(shared, kind, process)
    finally:
        process.kill()
        process.wait()
    assert contents(shared) == before
    assert writes(shared) == sent
    told = [row.what for row in incidents.recent(shared.engine, 7) if row.kind == kind]
    assert len(told) == 1
    assert f"another one has taken over {name}" in told[0]
    assert jobs.get(shared.engine, 7)[kind].state == "running"


def writes(world: World) -> list[str]:
    """What Label Studio was asked to change."""
    return [request for request in world.double.requests if not request.startswith("GET")]


def test_on_sqlite_a_process_that_stands_still_keeps_its_lock(world: World) -> None:
    """So nobody takes over, and it goes on as if nothing had been."""
    fill(world)
    url = str(world.services.settings.database_url)
    process = start(world, "sync", "reading tasks", url)
    try:
        with turn(world.engine, "sync-7") as successor:
            assert successor is None
        go_on(world, "sync", process)
    finally:
        process.kill()
        process.wait()
    assert jobs.get(world.engine, 7)["sync"].state == "idle"
    with turn(world.engine, "sync-7") as free:
        assert free is not None
