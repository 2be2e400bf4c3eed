from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from backend.errors import PoolError
from backend.pool import annotations, candidates, ledger, projects, tasks
from backend.pool.database import dump
from backend.pool.database.engine import open_engine, upgrade
from backend.pool.database.schema import SCHEMA
from model.teacher.base import Usage
from tests.support.samples import PROJECT, TEACHER, add_project, answered, fill, labelled


@pytest.fixture
def pool(engine: sa.Engine) -> sa.Engine:
    add_project(engine)
    fill(engine)
    tasks.add(engine, PROJECT, {number: f"text {number} – grüße" for number in range(2, 30)})
    annotations.save(engine, PROJECT, [labelled(9, 5, "refund", annotator=None)])
    candidates.save(engine, PROJECT, TEACHER, [(4, "h", answered("refund", "billing", usage=Usage(microusd=2**40)))])
    return engine


@pytest.fixture
def other(tmp_path: Path) -> sa.Engine:
    """An empty pool on SQLite."""
    opened = open_engine(f"sqlite:///{tmp_path / 'other.sqlite'}")
    upgrade(opened)
    return opened


def contents(engine: sa.Engine) -> dict[str, list[Any]]:
    with engine.connect() as connection:
        return {
            name: [tuple(row) for row in connection.execute(sa.select(table).order_by(*table.primary_key))]
            for name, table in SCHEMA.tables.items()
        }


def test_everything_comes_back(pool: sa.Engine, other: sa.Engine, tmp_path: Path) -> None:
    file = tmp_path / "pool.jsonl.gz"
    counts = dump.dump(pool, file)
    assert counts["tasks"] == 29
    assert dump.load(other, file) == counts
    assert contents(other) == contents(pool)
    other.dispose()


def test_from_sqlite_to_either_and_further_work_there(engine: sa.Engine, other: sa.Engine, tmp_path: Path) -> None:
    add_project(other)
    fill(other)
    dump.dump(other, tmp_path / "pool.jsonl.gz")
    dump.load(engine, tmp_path / "pool.jsonl.gz")
    assert contents(engine) == contents(other)
    ledger.settle(engine, PROJECT, TEACHER, None, Usage(calls=1))  # gets a number of its own
    assert ledger.totals(engine, PROJECT).calls == 2
    other.dispose()


def test_rows_of_many_pages(pool: sa.Engine, other: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dump, "PAGE", 7)
    dump.dump(pool, tmp_path / "pool.jsonl.gz")
    dump.load(other, tmp_path / "pool.jsonl.gz")
    assert contents(other) == contents(pool)
    other.dispose()


def test_only_an_empty_pool_is_filled(pool: sa.Engine, tmp_path: Path) -> None:
    dump.dump(pool, tmp_path / "pool.jsonl.gz")
    with pytest.raises(PoolError, match="not empty"):
        dump.load(pool, tmp_path / "pool.jsonl.gz")


def without_end(lines: list[str]) -> list[str]:
    return lines[:-1]


def without_a_row(lines: list[str]) -> list[str]:
    return [line for line in lines if '"text 7' not in line]


def of_another_schema(lines: list[str]) -> list[str]:
    return [json.dumps({**json.loads(lines[0]), "schema": ["0000"]}), *lines[1:]]


def of_another_program(lines: list[str]) -> list[str]:
    return ["{}", *lines[1:]]


def with_an_unknown_table(lines: list[str]) -> list[str]:
    return [lines[0], '{"table":"secrets","columns":["a"]}', "[1]", *lines[1:]]


def with_a_doubled_row(lines: list[str]) -> list[str]:
    return [line for line in lines for _ in range(1 + ('"text 7' in line))]


def with_a_broken_line(lines: list[str]) -> list[str]:
    return [*lines[:5], "{", *lines[5:]]


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (without_end, "its end is missing"),
        (without_a_row, "it should hold"),
        (of_another_schema, r"it has schema \['0000'\], but this release has"),
        (of_another_program, "it is no backup of the pool"),
        (with_an_unknown_table, "'secrets'"),
        (with_a_doubled_row, "does not fit the pool"),
        (with_a_broken_line, "cannot be read"),
        (lambda _: [], "it is no backup of the pool"),
    ],
)
def test_a_damaged_file_changes_nothing(
    sqlite_engine: sa.Engine,
    other: sa.Engine,
    tmp_path: Path,
    damage: Callable[[list[str]], list[str]],
    sentence: str,
) -> None:
    add_project(sqlite_engine)
    tasks.add(sqlite_engine, PROJECT, {number: f"text {number}" for number in range(10)})
    file = tmp_path / "pool.jsonl.gz"
    dump.dump(sqlite_engine, file)
    lines = gzip.decompress(file.read_bytes()).decode().splitlines()
    file.write_bytes(gzip.compress("\n".join(damage(lines)).encode()))
    with pytest.raises(PoolError, match=sentence):
        dump.load(other, file)
    assert projects.all_projects(other) == []
    assert tasks.count(other, PROJECT) == 0
    other.dispose()


def test_a_file_that_was_cut_off(sqlite_engine: sa.Engine, tmp_path: Path) -> None:
    file = tmp_path / "pool.jsonl.gz"
    dump.dump(sqlite_engine, file)
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(PoolError, match="cannot be read"):
        dump.load(sqlite_engine, file)


def test_places_that_cannot_be_written_or_read(sqlite_engine: sa.Engine, tmp_path: Path) -> None:
    with pytest.raises(PoolError, match="cannot be written"):
        dump.dump(sqlite_engine, tmp_path / "nowhere" / "pool.jsonl.gz")
    with pytest.raises(PoolError, match="cannot be read"):
        dump.load(sqlite_engine, tmp_path / "pool.jsonl.gz")


def test_a_backup_is_one_moment(sqlite_engine: sa.Engine, other: sa.Engine, tmp_path: Path) -> None:
    """What is written while the backup runs is either in all tables or in none."""
    tasks.add(sqlite_engine, PROJECT, {1: "before"})
    with dump.snapshot(sqlite_engine) as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM tasks")).scalar_one() == 1
        tasks.add(sqlite_engine, PROJECT, {2: "meanwhile"})
        assert connection.execute(sa.text("SELECT count(*) FROM tasks")).scalar_one() == 1
    assert tasks.count(sqlite_engine, PROJECT) == 2
    assert not list(tmp_path.glob("*.part"))
    other.dispose()
