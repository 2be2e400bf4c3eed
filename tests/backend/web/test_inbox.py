"""Events that wait together are written together, in order, and a bad one harms nobody else."""

from __future__ import annotations

from threading import Event
from typing import Any

from sqlalchemy.exc import OperationalError

from backend.web.background import Background
from backend.web.events import Body
from backend.web.inbox import Inbox, groups, merge


def event(number: int, project: int = 7, action: str = "ANNOTATION_CREATED") -> dict[str, Any]:
    return {"action": action, "project": {"id": project}, "annotation": {"id": number}, "task": {"id": number}}


def test_neighbours_of_one_project_are_one_group() -> None:
    stream = [event(1), event(2, action="ANNOTATION_UPDATED"), event(3, 8), event(4), {"action": "START_TRAINING"},
              {"action": "START_TRAINING"}, event(5), {**event(6), "annotation": [{}]}, {}]  # fmt: skip
    assert [len(group) for group in groups(stream)] == [2, 1, 1, 1, 1, 1, 1, 1]
    assert [body for group in groups(stream) for body in group] == stream
    assert list(groups([])) == []


def test_merging_keeps_every_task_with_its_annotation() -> None:
    own = {**event(2), "annotation": {"id": 2, "task": 22}}
    merged = merge([event(1), own])
    assert merged["annotation"] == [{"id": 1, "task": 1}, {"id": 2, "task": 22}]
    assert merged["task"] == [{"id": 1}, {"id": 2}]
    assert merged["project"] == {"id": 7}


def test_what_arrives_meanwhile_is_handled_together_and_in_order() -> None:
    background, seen, gate = Background(), list[Body](), Event()

    def handle(body: Body) -> None:
        gate.wait(30)
        seen.append(body)

    inbox = Inbox(background, handle)
    assert not inbox.take(event(1), 0)
    for number in range(2, 501):
        inbox.take(event(number), 0)
    gate.set()
    background.drain()
    background.close()
    numbers = [one["id"] for body in seen for one in _annotations(body)]
    assert numbers == list(range(1, 501))
    assert len(seen) < 10


def test_a_bad_event_is_left_out_alone() -> None:
    background, seen, gate = Background(), list[int](), Event()

    def handle(body: Body) -> None:
        gate.wait(30)
        numbers = [one["id"] for one in _annotations(body)]
        if 3 in numbers:
            raise RuntimeError("bad")
        seen.extend(numbers)

    inbox = Inbox(background, handle)
    for number in range(1, 6):
        inbox.take(event(number), 0)
    gate.set()
    assert inbox.take(event(6), 30)
    background.close()
    assert seen == [1, 2, 4, 5, 6]


def test_a_lost_database_is_not_waited_for_once_per_event() -> None:
    background, seen, gate = Background(), list[int](), Event()

    def handle(body: Body) -> None:
        gate.wait(30)
        seen.append(len(_annotations(body)))
        if len(_annotations(body)) > 1:
            raise OperationalError("SELECT", {}, Exception("the server closed the connection"))

    inbox = Inbox(background, handle)
    for number in range(1, 6):
        inbox.take(event(number), 0)
    gate.set()
    background.drain()
    assert inbox.take(event(6), 30)
    background.close()
    assert sum(seen) == 6  # however they were grouped, each was tried once
    assert max(seen) > 1


def _annotations(body: Body) -> list[dict[str, Any]]:
    given = body["annotation"]
    return given if isinstance(given, list) else [given]
