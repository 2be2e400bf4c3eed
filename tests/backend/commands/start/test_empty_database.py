"""The empty database that is laid out for a new Label Studio. `tests/e2e` and `test_stack` start the real one on it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from backend.commands.start.credentials import DATABASE
from backend.commands.start.empty_database import RELEASE, lay_out

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    (tmp_path / f"venv/lib/python3.11/site-packages/label_studio-{RELEASE}.dist-info").mkdir(parents=True)
    return tmp_path / "venv"


def test_a_new_folder_gets_every_table_and_nobody(tmp_path: Path, venv: Path) -> None:
    assert lay_out(tmp_path, venv)
    connection = sqlite3.connect(tmp_path / DATABASE)
    assert connection.execute("SELECT COUNT(*) FROM django_migrations").fetchone()[0] > 300
    for table in ("htx_user", "organization", "authtoken_token", "project", "task"):
        assert connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone() == (0,), table
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()
    assert (tmp_path / DATABASE).stat().st_mode & 0o077 == 0
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == [DATABASE]


def test_a_database_that_is_there_is_left_alone(tmp_path: Path, venv: Path) -> None:
    (tmp_path / DATABASE).write_text("mine")
    assert not lay_out(tmp_path, venv)
    assert (tmp_path / DATABASE).read_text() == "mine"


def test_another_release_makes_its_own(tmp_path: Path) -> None:
    assert not lay_out(tmp_path, tmp_path / "venv")
    assert list(tmp_path.iterdir()) == []


def test_it_is_that_of_the_locked_release() -> None:
    assert f"\nlabel-studio=={RELEASE} " in (ROOT / "requirements-label-studio.txt").read_text()
