"""A project in a real pool, and the command line in front of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner, Result

from backend.cli import app
from backend.pool import projects, versions
from model.labels import LabelSpace

SPACE = LabelSpace.of(["billing", "refund"])
Run = Callable[..., Result]


@pytest.fixture
def pool(sqlite_engine: sa.Engine) -> sa.Engine:
    """Project 7 with three versions of its labels and one of older labels; the third is served."""
    projects.save_config(sqlite_engine, 7, "1", "tickets", "<View/>", SPACE, "", {})
    versions.add(sqlite_engine, 7, "student-1-old", 1, "old", {}, 5)
    for number in (2, 3, 4):
        versions.add(sqlite_engine, 7, name(number), number, SPACE.hash, {}, 10 * number)
        projects.promote(sqlite_engine, 7, name(number))
    return sqlite_engine


def name(number: int) -> str:
    """The version string of a student."""
    return f"student-{number}-{SPACE.hash}"


@pytest.fixture
def run(pool: sa.Engine, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command in an empty folder, on that pool and a real Redis."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", pool.url.render_as_string(hide_password=False))
    monkeypatch.setenv("REDIS_URL", redis_url)
    return lambda *arguments, **settings: CliRunner().invoke(app, list(arguments), env=settings)
