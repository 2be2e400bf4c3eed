"""Rows that two have written, or nobody: Label Studio is asked, and ends up with one of each."""

from __future__ import annotations

from typing import Any

import pytest

from backend.jobs import publish
from backend.pool import projects, publishing, tasks, versions
from tests.support.world import World

OLD, NEW = "student-1-abcdef", "student-2-abcdef"


@pytest.fixture
def served(world: World) -> World:
    """Three tasks, and a student that is served."""
    ids = world.double.add_tasks(["a", "b", "c"])
    tasks.add(world.engine, 7, dict(zip(ids, "abc", strict=True)))
    versions.add(world.engine, 7, NEW, 2, world.project.space_hash, {}, 3)
    projects.promote(world.engine, 7, NEW)
    return world


def given(world: World, version: str, task: int, times: int) -> list[dict[str, Any]]:
    """Label Studio asked for the task, and stored the answer so many times; the rows."""
    publishing.give(world.engine, 7, version, [task], world.services.clock())
    world.double._import([{"task": task, "model_version": version, "score": 0.5, "result": []}] * times)
    return world.double.predictions[-times:] if times else []


def test_of_doubles_the_oldest_stays(served: World) -> None:
    first, second, third = sorted(served.double.tasks)
    kept = given(served, NEW, first, 3)[0]
    other = given(served, NEW, second, 1)[0]
    publish.work(served.job("publish"))
    assert [row["id"] for row in served.double.predictions] == [kept["id"], other["id"]]
    assert publishing.intend(served.engine, 7, NEW, [first, second, third]) == {third}


def test_a_row_that_an_annotation_came_from_stays(served: World) -> None:
    first = min(served.double.tasks)
    rows = given(served, NEW, first, 3)
    served.double.annotate(first, ["refund"])
    served.double.tasks[first]["annotations"][0]["parent_prediction"] = rows[1]["id"]
    publish.work(served.job("publish"))
    assert [row["id"] for row in served.double.predictions] == [rows[1]["id"]]


def test_a_version_that_is_served_no_more_is_settled_too(served: World) -> None:
    first, second, _ = sorted(served.double.tasks)
    kept = given(served, OLD, first, 2)[0]
    given(served, OLD, second, 0)
    publish.work(served.job("publish"))
    assert [row["id"] for row in served.double.predictions] == [kept["id"]]
    assert publishing.unconfirmed(served.engine, 7, served.services.clock()) == {}
    assert publishing.intend(served.engine, 7, OLD, [first, second]) == {second}


def test_rows_of_others_are_left_alone(served: World) -> None:
    first = min(served.double.tasks)
    served.double._import([{"task": first, "model_version": "by hand", "score": 0.5, "result": []}] * 2)
    given(served, NEW, first, 1)
    publish.work(served.job("publish"))
    assert len(served.double.predictions) == 3
