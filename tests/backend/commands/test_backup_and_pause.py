"""`shortlist backup`, `restore`, `pause` and `resume`, as a person calls them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
import sqlalchemy as sa

from backend.pool import projects, tasks, versions
from backend.pool.database.engine import open_engine, upgrade
from model.registry import Registry
from tests.support import preloaded
from tests.support.samples import PROJECT, SPACE, add_project, the_project

ROOT = Path(__file__).resolve().parents[3]


class Notes:
    """Anything that can be saved."""

    def save(self, folder: Path) -> None:
        (folder / "README.md").write_text("notes\n")


def shortlist(folder: Path, redis_url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "DATA_DIR": str(folder), "REDIS_URL": redis_url, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "backend", *arguments]
    return preloaded.run(command, environment, ROOT)


def pool(folder: Path) -> sa.Engine:
    """The pool of a data folder."""
    return open_engine(f"sqlite:///{folder / 'pool.sqlite'}")


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """A data folder with a project, a task, and two versions of which one is damaged."""
    folder = tmp_path / "old"
    engine = open_engine(f"sqlite:///{folder / 'pool.sqlite'}")
    upgrade(engine)
    add_project(engine)
    tasks.add(engine, PROJECT, {1: "where is my parcel"})
    registry = Registry(str(folder / "versions"), folder / "cache")
    for number in (1, 2):
        version = f"student-{number}-{SPACE.hash}"
        registry.write(PROJECT, version, Notes(), {"number": number})
        versions.add(engine, PROJECT, version, number, SPACE.hash, {}, 5)
    projects.promote(engine, PROJECT, f"student-1-{SPACE.hash}")
    engine.dispose()
    (folder / "versions" / str(PROJECT) / f"student-2-{SPACE.hash}" / "README.md").write_text("damaged")
    return folder


def test_everything_comes_back_elsewhere(filled: Path, tmp_path: Path, redis_url: str) -> None:
    file, new = tmp_path / "backup.tar", tmp_path / "new"
    done = shortlist(filled, redis_url, "backup", str(file))
    assert (done.returncode, done.stdout.strip()) == (0, f"{file}: 1 tasks, 0 annotations, 1 versions")
    assert f"student-2-{SPACE.hash} cannot be read and is not in the backup" in done.stderr
    restored = shortlist(new, redis_url, "restore", str(file), "--json")
    assert json.loads(restored.stdout)["versions"] == 1
    engine = open_engine(f"sqlite:///{new / 'pool.sqlite'}")
    assert tasks.texts(engine, PROJECT, [1]) == {1: "where is my parcel"}
    assert the_project(engine).served == f"student-1-{SPACE.hash}"
    engine.dispose()
    kept = Registry(str(new / "versions"), new / "cache")
    assert (kept.fetch(PROJECT, f"student-1-{SPACE.hash}") / "README.md").read_text().startswith("notes")
    later = [versions.next_number(pool(folder), PROJECT) for folder in (filled, filled, new, new)]
    assert later[:2] == [3, 4]
    assert min(later[2:]) > 4  # a version after the backup may be known to Label Studio and other hosts
    again = shortlist(new, redis_url, "restore", str(file))
    assert (again.returncode, "the pool is not empty" in again.stderr) == (1, True)


def test_a_file_that_wants_to_leave_its_folder_is_refused(tmp_path: Path, redis_url: str) -> None:
    evil, victim = tmp_path / "evil.tar", tmp_path / "victim"
    (tmp_path / "content").write_text("x")
    with tarfile.open(evil, "w") as archive:
        archive.add(tmp_path / "content", f"../{victim.name}")
    done = shortlist(tmp_path / "new", redis_url, "restore", str(evil))
    assert (done.returncode, "cannot be read" in done.stderr, victim.exists()) == (1, True, False)


def test_pausing_and_going_on(filled: Path, redis_url: str) -> None:
    done = shortlist(filled, redis_url, "pause", str(PROJECT))
    assert done.stdout.strip() == f"Project 7 (tickets) is paused; `shortlist resume {PROJECT}` goes on"
    engine = open_engine(f"sqlite:///{filled / 'pool.sqlite'}")
    assert the_project(engine).paused
    assert shortlist(filled, redis_url, "resume", str(PROJECT)).returncode == 0
    assert not the_project(engine).paused
    engine.dispose()
