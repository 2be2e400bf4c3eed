"""What all tests of the backend may ask for: a Label Studio double, a project at it, web servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import SecretStr
from pytest_httpserver import HTTPServer

from backend.jobs import annotate
from backend.projects.updates import remember
from backend.queue.job_queue import JobQueue
from backend.services import Services
from backend.settings import Settings, load_settings
from tests.support.encoders import lend_exports
from tests.support.label_studio_double import CONFIG, TOKEN, LabelStudioDouble
from tests.support.servers import sqlite_file
from tests.support.web_server import Server
from tests.support.world import CREATED, WORKERS, World

PATIENCE_SECONDS = 600.0


@pytest.fixture(autouse=True)
def _no_worker_outlives_its_test() -> Iterator[None]:
    """One that a failed test had started would take the next test's jobs."""
    yield
    while WORKERS:
        worker = WORKERS.pop()
        worker.kill()
        worker.wait()


@pytest.fixture
def double(httpserver: HTTPServer) -> LabelStudioDouble:
    return LabelStudioDouble(httpserver)


@pytest.fixture
def world(
    double: LabelStudioDouble, redis_url: str, sqlite_engine: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    """A connected project without tasks. No answer and no run of a job in this process is cut off by a slow machine."""
    for name in ("SLICE_SECONDS", "PAID_SLICE_SECONDS"):
        monkeypatch.setattr(annotate, name, PATIENCE_SECONDS)
    lend_exports(tmp_path)
    settings = Settings(
        _env_file=None,
        DATA_DIR=tmp_path,
        REDIS_URL=redis_url,
        LABEL_STUDIO_URL=double.url,
        LABEL_STUDIO_API_KEY=SecretStr(TOKEN),
        BLIND_SHARE=0.0,
        PREDICT_SECONDS=60,
    )
    queue = JobQueue(redis_url, sqlite_engine)
    services = Services(settings, sqlite_engine, queue)
    remember(services, double.number, CREATED, CONFIG, title="tickets")
    queue.cancel("annotate", double.number)
    yield World(double, services, tmp_path)
    queue.connection.close()


@pytest.fixture
def serve(tmp_path: Path, redis_url: str) -> Iterator[Callable[..., Server]]:
    """Starts servers with the given settings; each has a pool of its own."""
    with ExitStack() as stack:

        def start(**overrides: Any) -> Server:
            folder = tmp_path / f"data{len(list(tmp_path.iterdir()))}"
            given = {"DATA_DIR": folder, "REDIS_URL": redis_url, "TEACHER": "similarity", "BLIND_SHARE": 0}
            given |= {"PREDICT_SECONDS": 60, **overrides}
            lend_exports(Path(given["DATA_DIR"]))
            if "DATABASE_URL" not in overrides:
                sqlite_file(Path(given["DATA_DIR"]) / "pool.sqlite")
            return stack.enter_context(Server(load_settings(_env_file=None, **given)))

        yield start


@pytest.fixture
def server(serve: Callable[..., Server]) -> Server:
    """A server without login."""
    return serve()
