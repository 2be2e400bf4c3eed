"""Several hosts, each a process with a folder of its own; they share Redis, PostgreSQL and S3, all by URL."""

from __future__ import annotations

import os
import re
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.pool import versions
from backend.pool.database.engine import open_engine
from backend.projects.updates import remember
from backend.queue.job_queue import JobQueue
from backend.services import Services
from benchmarks.shared.waiting import wait_for
from tests.e2e.processes import Process
from tests.support import preloaded
from tests.support.checks import check_all_is_well, fill
from tests.support.holding import Holding
from tests.support.label_studio_double import CONFIG, LabelStudioDouble
from tests.support.ports import free_port
from tests.support.servers import PostgresServer
from tests.support.web import web
from tests.support.world import CREATED, World

TEXT = "my parcel has been lost on the way, please help"
S3_LOGIN = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}


@pytest.fixture
def s3(tmp_path: Path) -> Iterator[dict[str, str]]:
    """An S3 server in a process of its own; the environment that leads there."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-p", str(port), "-H", "127.0.0.1"]
    server = Process("s3", command, dict(os.environ), tmp_path / "s3.log")
    environment = {**S3_LOGIN, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}", "MODEL_DIR": "s3://shortlist/versions"}
    make = "import fsspec; fsspec.filesystem('s3').mkdir('shortlist')"

    def listens() -> bool:
        server.check()
        with socket.socket() as asking:
            return asking.connect_ex(("127.0.0.1", port)) == 0

    try:
        wait_for("an S3 server that listens", listens, 240)
        made = preloaded.run([sys.executable, "-c", make], {**os.environ, **environment}, tmp_path)
        assert made.returncode == 0, made.stderr
        yield environment
    finally:
        server.stop()


@pytest.fixture
def shared(
    double: LabelStudioDouble, redis_url: str, postgres_server: PostgresServer, world: World, tmp_path: Path
) -> Iterator[World]:
    """The same project in a PostgreSQL."""
    with postgres_server.database(migrated=True) as url:
        engine = open_engine(url)
        settings = world.services.settings.model_copy(update={"DATABASE_URL": url})
        queue = JobQueue(redis_url, engine)
        services = Services(settings, engine, queue)
        remember(services, double.number, CREATED, CONFIG, title="tickets")
        queue.cancel("annotate", double.number)
        yield World(double, services, tmp_path)
        queue.connection.close()
        engine.dispose()


def host(world: World, name: str) -> dict[str, str]:
    """A data folder that no other host sees."""
    folder = world.folder / name
    folder.mkdir()
    return {"DATA_DIR": str(folder), "CACHE_DIR": str(folder / "cache")}


def test_promoted_on_one_served_on_all_and_trained_once(shared: World, s3: dict[str, str]) -> None:
    truth = fill(shared)
    shared.services.queue.enqueue("sync", 7)
    holding = Holding(shared.folder / "hold")
    holding.ask("train")
    hosts = [host(shared, f"worker-{number}") for number in (1, 2)]
    workers = [shared.start_worker(holding=holding, **s3, **own) for own in hosts]
    try:
        with web(shared, **s3, **host(shared, "web-1")) as one, web(shared, **s3, **host(shared, "web-2")) as other:
            holding.wait("train")
            assert [shared.services.queue.enqueue("train", 7) for _ in range(20)] == ["again"] * 20
            holding.release("train")
            shared.await_student()
            served = check_all_is_well(shared, truth)
            for server in (one, other):
                assert server.version() == served
                server.await_answer("/ready")
                entry = server.predict({99_999: TEXT})[0]
                assert (entry["model_version"], entry["result"][0]["value"]["choices"]) == (served, ["shipping"])
    finally:
        for worker in workers:
            worker.send_signal(signal.SIGTERM)
        codes = [worker.wait(240) for worker in workers]
    assert codes == [0, 0]
    log = (shared.folder / "worker.log").read_text()
    trained = re.findall(r"student_trained", log)
    rows = versions.list_versions(shared.engine, 7)
    assert len(trained) == len(rows) <= 4
    assert len({row.number for row in rows}) == len(rows)
    assert not (shared.folder / "versions").exists()
