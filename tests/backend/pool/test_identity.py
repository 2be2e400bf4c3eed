"""Whose project a message is about, and what outlives everything that may be said about it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from backend.errors import ProjectError
from backend.pool import ledger, projects, tasks, versions
from backend.pool.database import tables, work_tables
from backend.pool.database.engine import write
from backend.pool.database.metadata import PASSING
from backend.pool.identity import STEP
from model.teacher.base import Usage
from tests.support.samples import PROJECT, SPACE, TEACHER, add_project, fill, the_project

TUTORIAL, OWN = "1763700000", "1763709999"
SECOND = PROJECT + STEP


def find(engine: sa.Engine, created: str) -> projects.Project:
    found = projects.find(engine, PROJECT, created)
    assert found is not None
    return found


def spend(engine: sa.Engine, number: int, microusd: int) -> None:
    ledger.settle(engine, number, TEACHER, None, Usage(calls=1, microusd=microusd))


def rows(engine: sa.Engine, project: int) -> dict[str, int]:
    """Rows of every table of a project."""
    counts = {}
    for table in [one for one in projects.GOES if one.info != PASSING]:
        with engine.connect() as connection:
            query = sa.select(sa.func.count()).select_from(table).where(table.c.project == project)
            counts[table.name] = int(connection.execute(query).scalar_one())
    return counts


def test_two_label_studios_with_the_same_number_take_nothing_from_each_other(engine: sa.Engine) -> None:
    add_project(engine, created=TUTORIAL, title="tutorial")
    fill(engine)
    before = rows(engine, PROJECT)
    assert all(before.values())
    for _ in range(3):
        add_project(engine, created=OWN, title="own")
        tasks.add(engine, find(engine, OWN).project, {1: "another text"})
        add_project(engine, created=TUTORIAL, title="tutorial")
    assert rows(engine, PROJECT) == before
    assert [(row.project, row.label_studio_id, row.title) for row in projects.all_projects(engine)] == [
        (PROJECT, PROJECT, "tutorial"), (SECOND, PROJECT, "own"),
    ]  # fmt: skip
    assert tasks.texts(engine, SECOND, [1]) == {1: "another text"}
    assert [row.project for row in projects.namesakes(engine, find(engine, OWN))] == [PROJECT]


def test_a_project_of_another_time_gets_a_number_that_nobody_has(engine: sa.Engine) -> None:
    add_project(engine, created="1")
    add_project(engine, SECOND, created="2")
    add_project(engine, created="3")
    add_project(engine, SECOND, created="4")
    numbers = [(row.project, row.label_studio_id, row.created) for row in projects.all_projects(engine)]
    assert numbers == [
        (PROJECT, PROJECT, "1"), (SECOND, SECOND, "2"), (PROJECT + 2 * STEP, PROJECT, "3"),
        (PROJECT + 3 * STEP, SECOND, "4"),
    ]  # fmt: skip


def test_without_a_time_only_one_can_be_meant(engine: sa.Engine) -> None:
    add_project(engine, created=TUTORIAL)
    assert projects.find(engine, PROJECT) == the_project(engine)
    add_project(engine, created="", title="later")
    assert the_project(engine).title == "later"
    add_project(engine, created=OWN)
    with pytest.raises(ProjectError, match="several projects have the number 7 at their Label Studio: 7 "):
        projects.find(engine, PROJECT)
    with pytest.raises(ProjectError, match="several"):
        add_project(engine, created="", title="which")


def test_what_was_spent_counts_on_whoever_has_the_number(engine: sa.Engine) -> None:
    add_project(engine, created=TUTORIAL)
    ledger.set_cap(engine, PROJECT, 1_000_000)
    spend(engine, PROJECT, 700_000)
    ledger.reserve(engine, PROJECT, TEACHER, 200_000)
    add_project(engine, created=OWN)
    assert ledger.totals(engine, PROJECT).counted_microusd == 900_000
    ledger.set_cap(engine, SECOND, 1_000_000)
    total = ledger.totals(engine, SECOND)
    assert (total.microusd, total.unsettled_microusd, total.carried_microusd) == (0, 0, 900_000)
    assert ledger.reserve(engine, SECOND, TEACHER, 100_001) is None
    held = ledger.reserve(engine, SECOND, TEACHER, 100_000)
    ledger.settle(engine, SECOND, TEACHER, held, Usage(calls=1, microusd=50_000))
    assert ledger.totals(engine, SECOND).counted_microusd == 950_000
    add_project(engine, created="3")
    assert ledger.totals(engine, PROJECT + 2 * STEP).carried_microusd == 950_000


def test_a_forgotten_project_goes_on_with_its_money_and_its_numbers(engine: sa.Engine) -> None:
    add_project(engine)
    fill(engine)
    assert [versions.next_number(engine, PROJECT) for _ in range(2)] == [2, 3]
    ledger.set_cap(engine, PROJECT, 1_000_000)
    spend(engine, PROJECT, 400_000)
    ledger.reserve(engine, PROJECT, TEACHER, 300_000)
    batch = ledger.reserve(engine, PROJECT, TEACHER, 200_000, None)
    assert all(projects.holdings(engine, PROJECT).values())
    projects.remove(engine, PROJECT)
    assert not any(rows(engine, PROJECT).values())
    assert projects.get(engine, PROJECT) is projects.find(engine, PROJECT, "1763700000") is None
    assert projects.all_projects(engine) == []
    assert ledger.reserve(engine, PROJECT, TEACHER, 1) is None  # nobody pays for it meanwhile
    assert ledger.book_lost(engine, PROJECT) == 200_000
    ledger.settle(
        engine, PROJECT, TEACHER, batch, Usage(calls=1, microusd=10_000)
    )  # a late answer takes the place of the loss
    add_project(engine)
    assert the_project(engine).served is None
    assert ledger.totals(engine, PROJECT).counted_microusd == 400_000 + 300_000 + 10_000
    assert ledger.reserve(engine, PROJECT, TEACHER, 300_000) is None
    assert versions.next_number(engine, PROJECT) == 4


def test_a_forgotten_number_is_not_given_to_another_project(engine: sa.Engine) -> None:
    add_project(engine, created=TUTORIAL)
    spend(engine, PROJECT, 400_000)
    projects.remove(engine, PROJECT)
    add_project(engine, created=OWN)
    assert [row.project for row in projects.all_projects(engine)] == [SECOND]
    assert ledger.totals(engine, SECOND).counted_microusd == 400_000


def test_many_processes_that_hear_of_the_same_projects_make_each_once(engine: sa.Engine) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda turn: add_project(engine, created=(TUTORIAL, OWN)[turn % 2]), range(16)))
    found = projects.all_projects(engine)
    assert sorted((row.project, row.label_studio_id) for row in found) == [(PROJECT, PROJECT), (SECOND, PROJECT)]
    assert {row.created for row in found} == {TUTORIAL, OWN}


def test_a_label_studio_that_moves_is_the_same(engine: sa.Engine) -> None:
    for place in ("http://localhost:8080", "https://labels.example.com"):
        projects.save_config(engine, PROJECT, TUTORIAL, "tickets", "<View/>", SPACE, "", {}, place)
        assert [row.instance for row in projects.all_projects(engine)] == [place]
    add_project(engine, created=TUTORIAL)
    assert the_project(engine).instance == "https://labels.example.com"


def test_numbers_of_versions_never_go_back(engine: sa.Engine) -> None:
    add_project(engine)
    versions.add(engine, PROJECT, "student-9-x", 9, "x", {}, 1)
    assert versions.next_number(engine, PROJECT) == 10
    with write(engine) as connection:
        connection.execute(sa.delete(tables.projects.metadata.tables["versions"]))
    assert versions.next_number(engine, PROJECT) == 11
    versions.skip_numbers(engine, 60)
    assert versions.next_number(engine, PROJECT) == 72


def test_no_two_workers_get_the_same_number(engine: sa.Engine) -> None:
    add_project(engine)
    with ThreadPoolExecutor(8) as threads:
        given = list(threads.map(lambda _: versions.next_number(engine, PROJECT), range(16)))
    assert sorted(given) == list(range(1, 17))


def test_money_is_all_that_is_left_of_a_forgotten_project(engine: sa.Engine) -> None:
    add_project(engine, title="secret")
    fill(engine)
    projects.remove(engine, PROJECT)
    with engine.connect() as connection:
        row = connection.execute(sa.select(tables.projects)).mappings().one()
        assert (row["title"], row["label_config"], row["space"], row["options"]) == ("", "", None, {})
        assert connection.execute(sa.select(sa.func.count()).select_from(work_tables.ledger)).scalar_one() == 1
