from __future__ import annotations

import gzip
import json
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.errors import PoolError
from backend.pool import annotations, batches, candidates, ledger, projects, tasks
from backend.pool.database import dump
from backend.pool.database.engine import open_engine, upgrade, write
from backend.pool.database.former import tables_at
from backend.pool.database.metadata import PASSING
from backend.pool.database.schema import SCHEMA
from backend.pool.database.work_tables import reservations
from model.teacher.base import Usage
from tests.support.samples import PROJECT, TEACHER, add_project, answered, fill, labelled
from tests.support.servers import PostgresServer


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
            if table.info != PASSING
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


def former(pool: sa.Engine, file: Path, revision: str, scratch: sa.Engine) -> None:
    """Turn a backup into the one that a former release would have written; `scratch` gets that release's schema."""
    with write(scratch) as connection:
        there = tables_at(connection, revision).tables
    lines = [json.loads(line) for line in gzip.decompress(file.read_bytes()).decode().splitlines()]
    unnumbered = {
        "reservations": {"reservation"},
        "batches": {"batch"},
        "ledger": {"entry", "reservation"},
        "incidents": {"incident"},
    }
    kept: list[Any] = [{**lines[0], "schema": [revision]}]
    columns: list[bool] | None = None  # of the present table, which of them the release had; None: not the table
    for line in lines[1:]:
        if isinstance(line, dict) and "end" in line:
            kept.append({"end": {name: count for name, count in line["end"].items() if name in there}})
        elif isinstance(line, dict):
            table = there.get(line["table"])
            own = (
                {column.name for column in table.c} - unnumbered.get(line["table"], set())
                if table is not None
                else set()
            )
            columns = [name in own for name in line["columns"]] if table is not None else None
            if columns is not None:
                kept.append({**line, "columns": [name for name in line["columns"] if name in own]})
        elif columns is not None:
            kept.append([value for value, keep in zip(line, columns, strict=True) if keep])
    file.write_bytes(gzip.compress("\n".join(json.dumps(line) for line in kept).encode()))


def test_a_backup_of_a_former_release_is_loaded_and_its_batches_find_their_money(
    engine: sa.Engine, other: sa.Engine, tmp_path: Path
) -> None:
    """Rows came without numbers, and batches named numbers that nobody has any more."""
    add_project(other)
    fill(other)
    ledger.set_cap(other, PROJECT, 1_000)
    for number, amount in enumerate((100, 200, 100)):
        reservation = ledger.reserve(other, PROJECT, TEACHER, amount)
        assert reservation is not None
        batches.begin(other, PROJECT, TEACHER, {"t1": (number, "h")}, amount, reservation, f"mark-{number}", "openai")
    ledger.reserve(other, PROJECT, TEACHER, 50)  # of a call under way
    numbers_like_before(other)
    file = tmp_path / "pool.jsonl.gz"
    dump.dump(other, file)
    scratch = open_engine(f"sqlite:///{tmp_path / 'former.sqlite'}")
    upgrade(scratch)
    former(other, file, "0013", scratch)
    scratch.dispose()
    dump.load(engine, file)
    assert tasks.texts(engine, PROJECT, [1]) == tasks.texts(other, PROJECT, [1])
    for row in batches.unfinished(engine, PROJECT):
        if row.mark.startswith("mark-"):
            assert batches.ended(engine, row.batch, "done", Usage(calls=1, microusd=7))
    found = ledger.totals(engine, PROJECT)
    assert (found.unsettled_microusd, found.microusd) == (50, ledger.totals(other, PROJECT).microusd + 21)
    other.dispose()


def numbers_like_before(pool: sa.Engine) -> None:
    """Numbers that were counted, and not from 1; in the order in which batches began."""
    table = SCHEMA.tables["batches"]
    with write(pool) as connection:
        for place, row in enumerate(connection.execute(sa.select(table).order_by(table.c.mark)).all()):
            for one in (table, reservations):
                same = sa.update(one).where(one.c.reservation == row.reservation)
                connection.execute(same.values(reservation=10 + place))


STEPS = st.lists(
    st.tuples(st.sampled_from(["reserve", "settle", "batch", "end", "abandon", "lose"]), st.integers(0, 400)),
    min_size=1, max_size=14,
)  # fmt: skip


class Books:
    """What a provider was paid, beside a pool that must know of every cent of it."""

    def __init__(self) -> None:
        self.paid = 0
        self.calls: list[tuple[int, int]] = []  # (reservation, upper bound) under way
        self.batches: list[tuple[int, int]] = []

    def take(self, pool: sa.Engine, step: str, amount: int) -> None:
        if step in ("reserve", "batch"):
            held = ledger.reserve(pool, PROJECT, TEACHER, amount)
            if held is None:
                return
            if step == "reserve":
                self.calls.append((held, amount))
            else:
                given = {"t1": (amount, "h")}
                number = batches.begin(pool, PROJECT, TEACHER, given, amount, held, f"mark-{amount}", "openai")
                self.batches.append((number, amount))
        elif step == "settle" and self.calls:
            held, bound = self.calls.pop(amount % len(self.calls))
            ledger.settle(pool, PROJECT, TEACHER, held, Usage(calls=1, microusd=min(bound, amount)))
            self.paid += min(bound, amount)
        elif step == "end" and self.batches:
            number, bound = self.batches.pop(amount % len(self.batches))
            assert batches.ended(pool, number, "done", Usage(calls=1, microusd=min(bound, amount)))
            self.paid += min(bound, amount)
        elif step == "abandon" and self.batches:
            number, bound = self.batches.pop(amount % len(self.batches))
            batches.abandoned(pool, number)
            self.paid += bound  # perhaps: it counts as if
        elif step == "lose":
            with write(pool) as connection:  # their processes were killed, half an hour ago
                connection.execute(sa.update(reservations).where(reservations.c.until_ms > 0).values(until_ms=1))
            ledger.book_lost(pool, PROJECT)

    def end(self, pool: sa.Engine) -> None:
        for step in ("settle", "end"):
            while self.calls if step == "settle" else self.batches:
                self.take(pool, step, 3)
        ledger.book_lost(pool, PROJECT)


@given(before=STEPS, after=STEPS)
@settings(max_examples=12, deadline=None)
def test_money_is_booked_right_on_either_side_of_a_backup(
    postgres_server: PostgresServer, before: list[tuple[str, int]], after: list[tuple[str, int]]
) -> None:
    """Calls and batches under way when the backup is made end in the restored pool, on the other kind of database."""
    with tempfile.TemporaryDirectory() as folder, postgres_server.database() as url, ExitStack() as stack:
        first, second = open_engine(f"sqlite:///{folder}/pool.sqlite"), open_engine(url)
        for pool in (first, second):
            stack.callback(pool.dispose)
            upgrade(pool)
        if len(before) % 2:
            first, second = second, first
        add_project(first)
        ledger.set_cap(first, PROJECT, 1_000)
        books, file = Books(), Path(folder) / "pool.jsonl.gz"
        for step, amount in before:
            books.take(first, step, amount)
        dump.dump(first, file)
        dump.load(second, file)
        assert contents(second) == contents(first)
        for step, amount in after:
            books.take(second, step, amount)
            assert books.paid <= spent(second) <= 1_000
        books.end(second)
        found = ledger.totals(second, PROJECT)
        assert (found.unsettled_microusd, found.microusd) == (0, books.paid)
        assert spent(second) == books.paid <= 1_000


def spent(pool: sa.Engine) -> int:
    with pool.connect() as connection:
        return int(connection.execute(sa.text("SELECT spent_microusd FROM projects")).scalar_one())
