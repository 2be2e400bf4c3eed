"""A text that is edited in Label Studio loses the answers to the old one there, and gets those to the new one."""

from __future__ import annotations

import pytest

from backend.jobs import publish, sync
from backend.pool import candidates, publishing, tasks
from backend.pool.text import text_hash
from tests.support.samples import answered
from tests.support.students import store
from tests.support.world import World

OLD, NEW = "shipping parcel late or lost, help", "billing charges, invoices, please"


def edit(world: World, task: int, text: str) -> None:
    world.double.tasks[task] |= {"data": {"text": text}, "updated_at": world.double.time()}
    sync.synchronise(world.job("sync"), complete=False)


def shown(world: World, task: int) -> list[list[str]]:
    """What the rows of a task that Label Studio holds have ticked."""
    rows = [row for row in world.double.predictions if row["task"] == task]
    return [row["result"][0]["value"]["choices"] for row in rows]


@pytest.mark.parametrize("by", ["student", "teacher"])
def test_the_answer_to_the_old_text_goes_and_the_new_one_comes(world: World, by: str) -> None:
    edited, other = world.double.add_tasks([OLD, OLD])
    sync.synchronise(world.job("sync"), complete=True)
    if by == "student":
        store(world, 1)
    version = world.job("publish").current.served_version

    def ask(task: int, label: str, text: str) -> None:
        if by == "teacher":
            candidates.save(world.engine, 7, version, [(task, text_hash(text), answered(label))])

    ask(edited, "shipping", OLD)
    ask(other, "shipping", OLD)
    publish.work(world.job("publish"))
    assert (shown(world, edited), shown(world, other)) == ([["shipping"]], [["shipping"]])
    edit(world, edited, NEW)
    assert publishing.outdated(world.engine, 7) == {edited: {version}}
    publish.work(
        world.job("publish")
    )  # before a teacher has answered the new text, nothing is shown rather than the old
    assert shown(world, edited) == ([["billing"]] if by == "student" else [])
    ask(edited, "billing", NEW)
    publish.work(world.job("publish"))
    assert (shown(world, edited), shown(world, other)) == ([["billing"]], [["shipping"]])
    assert publishing.outdated(world.engine, 7) == {}


def test_what_an_annotation_came_from_stays(world: World) -> None:
    (task,) = world.double.add_tasks([OLD])
    sync.synchronise(world.job("sync"), complete=True)
    store(world, 1)
    publish.work(world.job("publish"))
    world.double.annotate(task, ["shipping"])
    (row,) = (row for row in world.double.predictions if row["task"] == task)
    world.double.tasks[task]["annotations"][0]["parent_prediction"] = row["id"]
    edit(world, task, NEW)
    publish.work(world.job("publish"))
    assert shown(world, task) == [["shipping"]]
    assert publishing.outdated(world.engine, 7) == {}


def test_saying_the_same_text_again_outdates_nothing(world: World) -> None:
    (task,) = world.double.add_tasks([OLD])
    tasks.add(world.engine, 7, {task: OLD})
    publishing.confirm(world.engine, 7, "student-1-x", publishing.intend(world.engine, 7, "student-1-x", [task]))
    tasks.add(world.engine, 7, {task: OLD})
    assert publishing.outdated(world.engine, 7) == {}
