from __future__ import annotations

import pytest
import sqlalchemy as sa

from backend.errors import PoolError
from backend.pool import (
    projects,
    tasks,
    versions,
)
from backend.pool.database.engine import now_ms
from backend.pool.database.schema import SCHEMA
from model.labels import Label, LabelSpace
from tests.support.samples import PROJECT, SPACE, STUDENT, add_project, fill, the_project

OTHER = LabelSpace((Label("billing", hint="invoices"), Label("refund")), "label/Choices/text")


def filled_tables(engine: sa.Engine) -> set[str]:
    with engine.connect() as connection:
        return {
            name
            for name, table in SCHEMA.tables.items()
            if connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
        }


def test_a_project_is_kept_as_it_was_told(engine: sa.Engine) -> None:
    options = {"TEACHER": "similarity", "RETRAIN_AFTER": 5}
    before = now_ms()
    assert projects.save_config(engine, 9, "1763700000", "Tickets ✓", "<View/>", OTHER, "", options)
    found = the_project(engine, 9)
    assert (found.project, found.created, found.title, found.label_config) == (9, "1763700000", "Tickets ✓", "<View/>")
    assert (found.space, found.space_hash, found.options) == (OTHER, OTHER.hash, options)
    assert (found.served, found.published, found.synced, found.changes, found.trained_changes) == (None, None, "", 0, 0)
    assert before <= found.created_ms <= now_ms()


def test_an_unknown_project(engine: sa.Engine) -> None:
    assert projects.get(engine, 1) is None
    assert projects.all_projects(engine) == []


def test_all_projects_by_id(engine: sa.Engine) -> None:
    for number in (30, 4, 12):
        add_project(engine, number)
    assert [found.project for found in projects.all_projects(engine)] == [4, 12, 30]


def test_only_another_label_space_is_a_change_of_it(engine: sa.Engine) -> None:
    add_project(engine)
    assert not projects.save_config(engine, PROJECT, "1763700000", "new title", "<View> </View>", SPACE, "", {"A": 1})
    assert (the_project(engine).title, the_project(engine).options) == ("new title", {"A": 1})
    assert projects.save_config(engine, PROJECT, "1763700000", "new title", "<View/>", OTHER, "", {})
    assert projects.save_config(engine, PROJECT, "1763700000", "new title", "<View/>", None, "no control tag", {})
    broken = the_project(engine)
    assert (broken.space, broken.space_hash, broken.problem) == (None, "", "no control tag")


def test_saying_the_same_again_writes_nothing(sqlite_engine: sa.Engine) -> None:
    add_project(sqlite_engine)
    with sqlite_engine.execution_options(write=True).begin():  # somebody else writes, so that a writer would wait
        add_project(sqlite_engine)


def test_a_recreated_id_is_a_project_of_its_own(engine: sa.Engine) -> None:
    add_project(engine)
    fill(engine)
    assert filled_tables(engine) == {*SCHEMA.tables} - {"answers", "claims", "turns"}
    add_project(engine, created="1763709999")
    assert filled_tables(engine) == {*SCHEMA.tables} - {"answers", "claims", "turns"}
    assert the_project(engine).created == "1763700000"
    other = projects.find(engine, PROJECT, "1763709999")
    assert other is not None
    assert tasks.count(engine, other.project) == 0


def test_an_unknown_creation_time_is_not_compared(engine: sa.Engine) -> None:
    add_project(engine, created="")
    fill(engine)
    add_project(engine, created="1763700000")
    assert the_project(engine).created == "1763700000"
    add_project(engine, created="", title="later")
    assert the_project(engine).created == "1763700000"
    assert "tasks" in filled_tables(engine)


def test_removing_a_project_leaves_the_others(engine: sa.Engine) -> None:
    add_project(engine)
    fill(engine)
    add_project(engine, 8)
    tasks.add(engine, 8, {1: "hello"})
    projects.remove(engine, PROJECT)
    assert filled_tables(engine) == {"projects", "tasks", "ledger", "reservations", "tallies"}
    assert tasks.count(engine, 8) == 1


def test_promotion_is_one_step(engine: sa.Engine) -> None:
    add_project(engine)
    for number in (1, 2):
        versions.add(engine, PROJECT, f"student-{number}-x", number, "x", {}, 3)
        projects.promote(engine, PROJECT, f"student-{number}-x")
    assert the_project(engine).served == "student-2-x"
    assert [(row.number, row.state) for row in versions.list_versions(engine, PROJECT)] == [
        (2, "promoted"), (1, "retired"),
    ]  # fmt: skip
    projects.promote(engine, PROJECT, "student-1-x")
    assert [row.state for row in versions.list_versions(engine, PROJECT)] == ["retired", "promoted"]


def test_promoting_what_is_not_there_changes_nothing(engine: sa.Engine) -> None:
    add_project(engine)
    versions.add(engine, PROJECT, STUDENT, 1, "x", {}, 3)
    projects.promote(engine, PROJECT, STUDENT)
    with pytest.raises(PoolError, match="project 7 has no version 'student-9-x'"):
        projects.promote(engine, PROJECT, "student-9-x")
    assert the_project(engine).served == STUDENT
    found = versions.get(engine, PROJECT, STUDENT)
    assert found is not None
    assert found.state == "promoted"


def test_marks(engine: sa.Engine) -> None:
    add_project(engine)
    projects.set_published(engine, PROJECT, STUDENT)
    projects.set_synced(engine, PROJECT, "2026-11-21T05:43:14.889247Z")
    projects.mark_trained(engine, PROJECT, 20)
    projects.mark_trained(engine, PROJECT, 15)
    found = the_project(engine)
    assert (found.published, found.synced, found.trained_changes) == (STUDENT, "2026-11-21T05:43:14.889247Z", 20)
