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

from backend.projects.updates import remember
from backend.queue.job_queue import JobQueue
from backend.services import Services
from backend.settings import Settings, load_settings
from tests.support.label_studio_double import CONFIG, TOKEN, LabelStudioDouble
from tests.support.web_server import Server
from tests.support.world import CREATED, World


@pytest.fixture
def double(httpserver: HTTPServer) -> LabelStudioDouble:
    return LabelStudioDouble(httpserver)


@pytest.fixture
def world(double: LabelStudioDouble, redis_url: str, sqlite_engine: sa.Engine, tmp_path: Path) -> Iterator[World]:
    """A connected project without tasks."""
    settings = Settings(
        _env_file=None,
        DATA_DIR=tmp_path,
        REDIS_URL=redis_url,
        LABEL_STUDIO_URL=double.url,
        LABEL_STUDIO_API_KEY=SecretStr(TOKEN),
        BLIND_SHARE=0.0,
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
            given = {"DATA_DIR": folder, "REDIS_URL": redis_url, "TEACHER": "similarity", "BLIND_SHARE": 0, **overrides}
            return stack.enter_context(Server(load_settings(_env_file=None, **given)))

        yield start


@pytest.fixture
def server(serve: Callable[..., Server]) -> Server:
    """A server without login."""
    return serve()
