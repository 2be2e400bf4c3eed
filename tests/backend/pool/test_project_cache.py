"""Reading projects: never older than the pool, whoever wrote."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import sqlalchemy as sa

from backend.pool import projects
from backend.pool.database.engine import open_engine
from backend.pool.project_cache import read_project
from model.labels import LabelSpace

SPACE = LabelSpace.of(["a", "b"])


def save(engine: sa.Engine, title: str, project: int = 7) -> None:
    projects.save_config(engine, project, "1", title, "<View/>", SPACE, "", {})


def title(engine: sa.Engine, project: int = 7) -> str | None:
    found = read_project(engine, project)
    return found.title if found else None


def test_every_write_is_seen_at_once(engine: sa.Engine) -> None:
    assert title(engine) is None
    for number in range(20):
        save(engine, f"title {number}")
        assert title(engine) == title(engine) == f"title {number}"
    projects.remove(engine, 7)
    assert title(engine) is None


def test_nothing_is_queried_while_nothing_is_written(sqlite_engine: sa.Engine) -> None:
    save(sqlite_engine, "one")
    first = read_project(sqlite_engine, 7)
    assert read_project(sqlite_engine, 7) is first
    save(sqlite_engine, "other", 8)
    assert read_project(sqlite_engine, 7) is not first


def test_another_process_is_seen_at_once(sqlite_engine: sa.Engine) -> None:
    save(sqlite_engine, "ours")
    assert title(sqlite_engine) == "ours"
    program = (
        "import sys; from backend.pool.database.engine import open_engine; "
        "from tests.backend.pool.test_project_cache import save; "
        "save(open_engine(sys.argv[1]), 'theirs')"
    )
    subprocess.run([sys.executable, "-c", program, str(sqlite_engine.url)], check=True)
    assert title(sqlite_engine) == "theirs"


def test_threads_agree(sqlite_engine: sa.Engine) -> None:
    save(sqlite_engine, "0")

    def read_and_write(number: int) -> None:
        save(sqlite_engine, str(number), 100 + number)
        assert title(sqlite_engine, 100 + number) == str(number)
        assert title(sqlite_engine) == "0"

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(read_and_write, range(64)))


def test_two_engines_and_a_disposed_one(tmp_path: Path, sqlite_engine: sa.Engine) -> None:
    other = open_engine(str(sqlite_engine.url))
    save(sqlite_engine, "one")
    assert title(other) == "one"
    other.dispose()
    save(sqlite_engine, "two")
    assert title(other) == "two"
    other.dispose()
