"""Commands run in this process against a Label Studio double, a real Redis and a real pool."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import structlog
from pytest_httpserver import HTTPServer
from typer.testing import CliRunner, Result

from backend.cli import app
from backend.logs import configure_logs
from backend.settings import Settings, load_settings
from tests.support.label_studio_double import TOKEN, LabelStudioDouble
from tests.support.servers import sqlite_file

Run = Callable[..., Result]
NAMES = tuple(Settings.model_fields)


@pytest.fixture
def double(httpserver: HTTPServer) -> LabelStudioDouble:
    return LabelStudioDouble(httpserver)


@pytest.fixture
def environment(
    double: LabelStudioDouble, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """The settings of every command, and nothing of the shell that runs the tests."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    own = {"DATA_DIR": str(tmp_path / "data"), "REDIS_URL": redis_url, "LABEL_STUDIO_URL": double.url}
    own |= {"LABEL_STUDIO_API_KEY": TOKEN, "BACKEND_URL": "http://127.0.0.1:9", "OMP_NUM_THREADS": "1"}
    for name, value in own.items():
        monkeypatch.setenv(name, value)
    sqlite_file(tmp_path / "data" / "pool.sqlite")
    return own


@pytest.fixture
def run(environment: Mapping[str, str]) -> Iterator[Run]:
    """Call the command line; an expected error of ours is raised as itself."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    configure_logs(load_settings(LOG_LEVEL="WARNING"))

    def call(*arguments: str, answers: str | None = None, **settings: str) -> Result:
        found = CliRunner().invoke(app, arguments, input=answers, env=settings, catch_exceptions=True)
        if found.exception is not None and not isinstance(found.exception, SystemExit):
            raise found.exception
        return found

    yield call
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def backend(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[HTTPServer]:
    """Something that answers like this backend, at BACKEND_URL."""
    server = HTTPServer(port=0)
    server.expect_request("/health").respond_with_json({"status": "UP"})
    server.expect_request("/").respond_with_json({})
    server.start()
    monkeypatch.setenv("BACKEND_URL", server.url_for("").rstrip("/"))
    yield server
    server.stop()


def read_json(found: Result) -> Any:
    """What a command printed for programs."""
    return json.loads(found.stdout)
