"""The database locked or gone while web and worker run: they wait or say so, and go on by themselves."""

from __future__ import annotations

import signal
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from backend.jobs import sync
from backend.pool.database.engine import open_engine
from backend.projects.updates import remember
from backend.queue.job_queue import JobQueue
from backend.services import Services
from benchmarks.shared.waiting import wait_for
from tests.support.checks import check_all_is_well, fill, in_label_studio, in_pool
from tests.support.gate import Gate
from tests.support.holding import Holding
from tests.support.label_studio_double import CONFIG, LabelStudioDouble
from tests.support.servers import PostgresServer
from tests.support.web import event, post_all, web
from tests.support.world import CREATED, World

LOCKED_SECONDS = 3.0  # what waits this long waits 30 s in the same way: BUSY_MS in pool/engine.py


def test_a_locked_sqlite_delays_events_and_loses_none(world: World) -> None:
    ids = world.double.add_tasks([f"text {number}" for number in range(30)])
    for task in ids:
        world.double.annotate(task, ["refund"])
    bodies = [event(row, task) for task in world.double.tasks.values() for row in task["annotations"]]
    with web(world) as server:
        version = server.version()
        lock = sqlite3.connect(world.folder / "pool.sqlite", isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        release = threading.Timer(LOCKED_SECONDS, lambda: None)
        release.start()
        assert set(post_all(server.port, bodies)) == {200}
        assert server.version() == version
        assert server.predict({ids[0]: "text 0"}) is not None
        assert in_pool(world) == {}
        release.join()
        lock.execute("ROLLBACK")
        lock.close()
        wait_for("all events", lambda: in_pool(world) == in_label_studio(world), 240, 0.05)


@pytest.fixture
def behind_gate(
    double: LabelStudioDouble, redis_url: str, postgres_server: PostgresServer, world: World, tmp_path: Path
) -> Iterator[tuple[World, Gate]]:
    """A world in PostgreSQL whose processes reach it through a gate; the test itself goes another way."""
    with postgres_server.database(migrated=True) as url:
        engine = open_engine(url)
        parsed = sa.make_url(url)
        place = parsed.query.get("host")
        gate = Gate(Path(str(place)) / ".s.PGSQL.5432" if place else int(parsed.port or 5432))
        through = parsed.set(host="127.0.0.1", port=gate.port, query={}).render_as_string(hide_password=False)
        settings = world.services.settings.model_copy(update={"DATABASE_URL": through})
        queue = JobQueue(redis_url, engine)
        services = Services(settings, engine, queue)
        remember(services, double.number, CREATED, CONFIG, title="tickets")
        queue.cancel("annotate", double.number)
        yield World(double, services, tmp_path), gate
        gate.close()
        queue.connection.close()
        engine.dispose()


def test_a_postgresql_that_is_gone_for_a_while(behind_gate: tuple[World, Gate]) -> None:
    world, gate = behind_gate
    truth = fill(world)
    world.services.queue.enqueue("sync", 7)
    holding = Holding(world.folder / "hold")
    holding.ask("train", "judging")
    worker = world.start_worker(holding=holding)
    try:
        with web(world) as server:
            server.await_answer("/ready")
            holding.wait("train")
            gate.close()
            assert server.http.get(f"{server.url}/health", timeout=240).status_code == 200
            answer = server.await_answer("/ready", 503).json()
            assert answer["pool"].startswith("the database cannot be used")
            setup = server.http.post(f"{server.url}/setup", json={"project": "7.1", "schema": CONFIG}, timeout=240)
            assert (setup.status_code, setup.reason[:34]) == (503, "the database cannot be used now; e")
            assert server.predict({1: "text"}) == [[]]
            late = world.double.add_tasks(["where is my parcel, again"])[0]
            truth[late] = "shipping"
            number = world.double.annotate(late, ["shipping"])
            row = world.double.tasks[late]
            assert post_all(server.port, [event(row["annotations"][0], row)]) == [200]
            holding.release("train")
            wait_for("a job that failed", lambda: "it is tried again" in (world.folder / "worker.log").read_text(), 240)
            gate.open()
            server.await_answer("/ready")
            sync.synchronise(world.job("sync"), complete=True)
            assert in_pool(world)[number] == ("shipping",)
            world.double.remove_annotation(late, number)
            world.await_student()
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.wait(240)
    sync.synchronise(world.job("sync"), complete=True)
    world.services.queue.enqueue("annotate", 7)
    world.run_jobs()
    check_all_is_well(world, truth)
    assert "The database cannot be used" in world.told()
