"""Events that wait together are written together, in order; a bad one harms nobody else, and none is lost unheard."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from sqlalchemy.exc import DataError, IntegrityError, InterfaceError, OperationalError

from backend.web import inbox as inbox_module
from backend.web.background import Background
from backend.web.events import Body
from backend.web.inbox import Inbox, _Waiting, groups, merge
from backend.web.journal import Journal

DEADLOCK = OperationalError("UPDATE", {}, Exception("deadlock detected"))


def event(number: int, project: int = 7, action: str = "ANNOTATION_CREATED") -> dict[str, Any]:
    return {"action": action, "project": {"id": project}, "annotation": {"id": number}, "task": {"id": number}}


def waiting(body: dict[str, Any]) -> _Waiting:
    project = body.get("project")
    return _Waiting(body, project["id"] if project else None)


class Running:
    """An inbox whose handler notes what it was given, and fails as it is told to."""

    def __init__(
        self, folder: Path, failing: Callable[[Body], Exception | None] = lambda body: None, longest: int = 9999
    ):
        self.background, self.seen, self.lost = Background(), list[Body](), list[int]()
        self.gate, self.failing = Event(), failing
        self.inbox = Inbox(self.background, self.handle, self.tell, Journal(folder), longest)

    def handle(self, body: Body) -> None:
        self.gate.wait(240)
        error = self.failing(body)
        if error is not None:
            raise error
        self.seen.append(body)

    def tell(self, project: int) -> None:
        self.lost.append(project)

    @property
    def numbers(self) -> list[int]:
        return [one["id"] for body in self.seen for one in _annotations(body)]


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    started: list[Running] = []

    def start(*arguments: Any, **options: Any) -> Running:
        started.append(Running(tmp_path, *arguments, **options))
        return started[-1]

    yield start
    for one in started:
        one.gate.set()
        one.background.close()


def test_neighbours_of_one_project_are_one_group() -> None:
    stream = [event(1), event(2, action="ANNOTATION_UPDATED"), event(3, 8), event(4), {"action": "START_TRAINING"},
              {"action": "START_TRAINING"}, event(5), {**event(6), "annotation": [{}]}, {}]  # fmt: skip
    found = list(groups([waiting(body) for body in stream]))
    assert [len(group) for group in found] == [2, 1, 1, 1, 1, 1, 1, 1]
    assert [one.body for group in found for one in group] == stream
    assert list(groups([])) == []


def test_merging_keeps_every_task_with_its_annotation() -> None:
    own = {**event(2), "annotation": {"id": 2, "task": 22}}
    merged = merge([event(1), own])
    assert merged["annotation"] == [{"id": 1, "task": 1}, {"id": 2, "task": 22}]
    assert merged["task"] == [{"id": 1}, {"id": 2}]
    assert merged["project"] == {"id": 7}


def test_what_arrives_meanwhile_is_handled_together_and_in_order(running: Callable[..., Running]) -> None:
    one = running()
    assert not one.inbox.take(event(1), 0)
    for number in range(2, 501):
        one.inbox.take(event(number), 0)
    one.gate.set()
    assert one.inbox.take(event(501), 60)
    assert one.numbers == list(range(1, 502))
    assert len(one.seen) < 10


@pytest.mark.parametrize("error", [RuntimeError("bad"), DataError("INSERT", {}, Exception("out of range"))])
def test_a_bad_event_is_left_out_alone_and_told(running: Callable[..., Running], error: Exception) -> None:
    one = running(lambda body: error if 3 in [row["id"] for row in _annotations(body)] else None)
    for number in range(1, 6):
        one.inbox.take(event(number), 0)
    one.gate.set()
    assert one.inbox.take(event(6), 60)
    assert one.numbers == [1, 2, 4, 5, 6]
    assert one.lost == [7]


@pytest.mark.parametrize("error", [DEADLOCK, InterfaceError("SELECT", {}, Exception("closed")),
                                   IntegrityError("INSERT", {}, Exception("duplicate key"))])  # fmt: skip
def test_what_the_database_does_not_take_is_tried_again_in_order(
    running: Callable[..., Running], monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(inbox_module, "PAUSES", (0.01,))
    failures = iter([error] * 4)
    one = running(lambda body: next(failures, None))
    for number in range(1, 300):
        one.inbox.take(event(number, 7 + number // 100), 0)
    one.gate.set()
    assert one.inbox.take(event(300), 60)
    assert one.numbers == list(range(1, 301))
    assert one.lost == []


def test_an_event_that_the_database_never_takes_is_told_and_keeps_nobody_waiting(
    running: Callable[..., Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox_module, "PAUSES", (0.01,))
    one = running(lambda body: DEADLOCK if 3 in [row["id"] for row in _annotations(body)] else None)
    for number in range(1, 6):
        one.inbox.take(event(number), 0)
    one.gate.set()
    assert one.inbox.take(event(6), 60)
    assert (sorted(one.numbers), one.lost) == ([1, 2, 4, 5, 6], [7])


def test_while_nothing_can_be_told_nothing_is_given_up(
    running: Callable[..., Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox_module, "PAUSES", (0.001,))
    away, tried = Event(), threading.Semaphore(0)
    away.set()

    def failing(_: Body) -> Exception | None:
        tried.release()
        return DEADLOCK if away.is_set() else None

    one = running(failing)
    monkeypatch.setattr(one.inbox, "_lost", lambda project: (_ for _ in ()).throw(DEADLOCK))
    one.gate.set()
    one.inbox.take(event(1), 0)
    for _ in range(3 * inbox_module.TRIES):
        assert tried.acquire(timeout=240)
    away.clear()
    assert one.inbox.take(event(2), 60)
    assert one.numbers == [1, 2]


def test_what_is_dropped_is_told_once_for_each_project(running: Callable[..., Running]) -> None:
    one = running(longest=5)
    for number in range(1, 200):
        one.inbox.take(event(number, 7 + number % 2), 0)
    one.gate.set()
    one.background.drain()
    assert one.numbers == [1, 2, 3, 4, 5]
    assert sorted(one.lost) == [7, 8]
    assert one.inbox.take(event(200), 60)


def test_what_a_killed_process_answered_is_handled_by_the_next(tmp_path: Path, running: Callable[..., Running]) -> None:
    with left_behind(tmp_path, [event(1), event(2, 8), {"action": "START_TRAINING", "project": {"id": 7}}], done=1):
        early = running()  # while the process lives, its events are its own
        early.gate.set()
        early.inbox.recover()
        early.background.drain()
        assert early.seen == []
    one = running()
    one.gate.set()
    one.inbox.recover()
    one.background.drain()
    assert one.seen == [event(2, 8), {"action": "START_TRAINING", "project": {"id": 7}}]
    again = running()
    again.gate.set()
    again.inbox.recover()
    again.background.drain()
    assert again.seen == []
    assert [path.stat().st_size for path in tmp_path.iterdir()] == [0]


def test_a_half_written_or_damaged_line_harms_no_other(tmp_path: Path, running: Callable[..., Running]) -> None:
    with left_behind(tmp_path, [event(1)], done=0):
        (path,) = tmp_path.iterdir()
        path.write_bytes(path.read_bytes() + b'+{"event": ' + b"[" * 100_000 + b'\n+5\n?\n+{"event": 3}\n+{"eve')
    one = running()
    one.gate.set()
    one.inbox.recover()
    one.background.drain()
    assert one.numbers == [1]


def test_a_folder_that_cannot_be_written_costs_no_event(tmp_path: Path, running: Callable[..., Running]) -> None:
    (tmp_path / "file").write_text("")
    one = Running(tmp_path / "file" / "events")
    one.gate.set()
    one.inbox.recover()
    assert one.inbox.take(event(1), 60)
    one.background.close()
    assert one.numbers == [1]


@contextmanager
def left_behind(folder: Path, bodies: list[dict[str, Any]], done: int) -> Iterator[None]:
    """A process that took these events and handled the first ones; at the end it is dead."""
    journal = Journal(folder)
    for body in bodies:
        journal.note({"project": body["project"]["id"], "event": body})
    if done:
        journal.done(done, none_left=False)
    yield
    journal.close()


def _annotations(body: Body) -> list[dict[str, Any]]:
    given = body["annotation"]
    return given if isinstance(given, list) else [given]
