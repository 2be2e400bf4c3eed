"""The queries of every chunk and every page use an index: SQLite says so, before a million tasks show it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from backend.pool import (
    annotations,
    candidates,
    figures,
    held,
    ledger,
    predictions,
    projects,
    publishing,
    tallies,
    tasks,
    versions,
)
from tests.support.samples import PROJECT, STUDENT, TEACHER, add_project, labelled

HOT: dict[str, Callable[[sa.Engine], object]] = {
    "without_candidates": lambda engine: tasks.without_candidates(engine, PROJECT, TEACHER, 100, prefer=[1, 2]),
    "texts": lambda engine: tasks.texts(engine, PROJECT, [1, 2]),
    "count": lambda engine: tasks.count(engine, PROJECT),
    "iterate": lambda engine: list(tasks.iterate(engine, PROJECT, 10)),
    "all_ids": lambda engine: tasks.all_ids(engine, PROJECT),
    "remove": lambda engine: tasks.remove(engine, PROJECT, [1]),
    "candidates.read": lambda engine: candidates.read(engine, PROJECT, TEACHER, [1, 2]),
    "candidates.read all": lambda engine: candidates.read(engine, PROJECT, TEACHER),
    "candidates.figures": lambda engine: candidates.figures(engine, PROJECT, TEACHER),
    "candidates.latest_ms": lambda engine: candidates.latest_ms(engine, PROJECT, TEACHER),
    "carry_over": lambda engine: candidates.carry_over(engine, PROJECT, TEACHER, "teacher-new", lambda _: True),
    "annotations.save": lambda engine: annotations.save(engine, PROJECT, [labelled(1, 1, "refund")]),
    "annotations.of_tasks": lambda engine: annotations.of_tasks(engine, PROJECT, [1, 2]),
    "predictions.read": lambda engine: predictions.read(engine, PROJECT, STUDENT, [1, 2]),
    "unpublished": lambda engine: predictions.unpublished(engine, PROJECT, STUDENT, 100),
    "least_certain": lambda engine: predictions.least_certain(engine, PROJECT, STUDENT, 100),
    "unanswered": lambda engine: publishing.unanswered(engine, PROJECT, STUDENT),
    "unsent_candidates": lambda engine: publishing.unsent_candidates(engine, PROJECT, TEACHER),
    "confirm": lambda engine: publishing.confirm(engine, PROJECT, STUDENT, [1, 2]),
    "settle": lambda engine: publishing.settle(engine, PROJECT, STUDENT, [1], [2], 1_000),
    "withdraw": lambda engine: publishing.withdraw(engine, PROJECT, STUDENT, [1, 2]),
    "decided": lambda engine: figures.decided(engine, PROJECT),
    "figures.teacher": lambda engine: figures.teacher(engine, PROJECT, TEACHER),
    "figures.students": lambda engine: figures.students(engine, PROJECT),
    "unconfirmed": lambda engine: publishing.unconfirmed(engine, PROJECT, 1_000),
    "projects.get": lambda engine: projects.get(engine, PROJECT),
    "tallies.of_project": lambda engine: tallies.of_project(engine, PROJECT),
    "versions": lambda engine: versions.list_versions(engine, PROJECT),
    "ledger.totals": lambda engine: ledger.totals(engine, PROJECT),
}


@contextmanager
def statements(engine: sa.Engine) -> Iterator[list[tuple[str, object]]]:
    """Collects the statements that are executed, with their parameters."""
    found: list[tuple[str, object]] = []

    def listen(_c: object, _cursor: object, statement: str, values: object, _context: object, many: bool) -> None:
        found.append((statement, values[0] if many else values))  # type: ignore[index]

    event.listen(engine, "before_cursor_execute", listen)
    yield found
    event.remove(engine, "before_cursor_execute", listen)


def plans(engine: sa.Engine, executed: list[tuple[str, object]]) -> list[str]:
    """SQLite's plan of every statement that reads."""
    steps = []
    with engine.connect() as connection:
        for statement, values in executed:
            if statement.startswith(("SELECT", "UPDATE", "DELETE", "WITH")):
                plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)  # type: ignore[arg-type]
                steps += [row[-1] for row in plan]
    return steps


@pytest.mark.parametrize("name", HOT)
def test_no_table_is_scanned(sqlite_engine: sa.Engine, name: str) -> None:
    add_project(sqlite_engine)
    with statements(sqlite_engine) as executed:
        HOT[name](sqlite_engine)
    steps = plans(sqlite_engine, executed)
    assert steps
    assert not [step for step in steps if step.startswith("SCAN")]


POINT = ("texts", "candidates.read", "annotations.save", "annotations.of_tasks", "predictions.read")


@pytest.mark.parametrize("name", POINT)
def test_a_few_rows_are_found_without_reading_the_whole_project(sqlite_engine: sa.Engine, name: str) -> None:
    with statements(sqlite_engine) as executed:
        HOT[name](sqlite_engine)
    steps = [step for step in plans(sqlite_engine, executed) if " projects " not in step]
    assert steps
    assert not [step for step in steps if step.startswith("SEARCH") and "(project=?)" in step]


def test_missing_tasks_are_found_by_indexes_alone(sqlite_engine: sa.Engine) -> None:
    with statements(sqlite_engine) as executed:
        tasks.without_candidates(sqlite_engine, PROJECT, TEACHER, 100)
    steps = plans(sqlite_engine, executed)
    assert any("INDEX" in step and "task=? AND version=?" in step for step in steps)
    assert not any("TEMP B-TREE" in step for step in steps)  # nothing is sorted


def test_figures_never_touch_the_rows(sqlite_engine: sa.Engine) -> None:
    with statements(sqlite_engine) as executed:
        candidates.figures(sqlite_engine, PROJECT, TEACHER)
    steps = plans(sqlite_engine, executed)
    assert steps
    assert all("tallies" in step for step in steps if step.startswith(("SEARCH", "SCAN")))


def test_open_rows_have_an_index_of_their_own(sqlite_engine: sa.Engine) -> None:
    with statements(sqlite_engine) as executed:
        publishing.unconfirmed(sqlite_engine, PROJECT, 1_000)
    assert any("ix_published_open" in step for step in plans(sqlite_engine, executed))


def test_versions_with_rows_are_found_by_steps_in_the_index(sqlite_engine: sa.Engine) -> None:
    with statements(sqlite_engine) as executed:
        held.versions(sqlite_engine, PROJECT)
    assert sum("published" in statement for statement, _ in executed) == 1
    steps = [step for step in plans(sqlite_engine, executed) if "published" in step]
    assert len(steps) == 3
    assert all(step.startswith("SEARCH") and "INDEX" in step for step in steps)
