"""/webhook: every action in both spellings; `{}` at once whatever comes."""

from __future__ import annotations

import pytest

from backend.pool import annotations, jobs, tasks
from backend.pool.annotations import human_labels
from backend.web.background import Background
from tests.support.configs import CONFIG_A
from tests.support.web_server import Server, annotation_body


@pytest.fixture
def ready(server: Server) -> Server:
    """A project that is set up, with an empty queue."""
    server.version()
    server.services.queue.cancel("annotate", 7)
    return server


def labels(server: Server) -> dict[int, tuple[str, ...]]:
    return {task: label.labels for task, label in human_labels(server.services.engine, 7).items()}


def test_a_submit_is_stored_with_its_text_and_what_was_shown(ready: Server) -> None:
    region = {"from_name": "label", "to_name": "text", "type": "choices", "value": {"choices": ["refund", "billing"]}}
    shown = {"id": 4, "model_version": "teacher-1-2", "score": 0.6, "result": [region]}
    ready.label(5, "billing", text="charged twice", prediction=shown)
    assert labels(ready) == {5: ("billing",)}
    assert tasks.texts(ready.services.engine, 7, [5]) == {5: "charged twice"}
    (row,) = annotations.of_tasks(ready.services.engine, 7, [5])[5]
    assert (row.shown_version, tuple(row.shown_labels or ()), row.shown_score) == (
        "teacher-1-2",
        ("refund", "billing"),
        0.6,
    )


@pytest.mark.parametrize("action", ["ANNOTATION_UPDATED", "ANNOTATIONS_UPDATED"])
def test_an_update_counts_once_and_the_newest_wins(ready: Server, action: str) -> None:
    number = ready.label(5, "billing")
    newer = annotation_body(number, 5, "refund", updated_at="2026-11-21T06:00:00Z")
    for _ in range(2):
        ready.event(action, annotation=newer, task={"id": 5})
    ready.event(action, annotation=annotation_body(number, 5, "other"), task={"id": 5})
    assert labels(ready) == {5: ("refund",)}


def test_a_skip_is_no_label(ready: Server) -> None:
    ready.label(5, was_cancelled=True)
    assert labels(ready) == {5: ()}


@pytest.mark.parametrize("action", ["ANNOTATION_CREATED", "ANNOTATIONS_CREATED"])
def test_many_at_once_come_as_lists_under_singular_names(ready: Server, action: str) -> None:
    given = [annotation_body(number, number, "other") for number in range(1, 2001)]
    data = [{"id": number, "data": {"text": f"text {number}"}} for number in range(1, 2001)]
    answer = ready.event(action, annotation=given, task=data)
    assert (answer.status_code, answer.json()) == (200, {})
    assert len(labels(ready)) == 2000
    assert tasks.count(ready.services.engine, 7) == 2000


def test_new_tasks_come_with_their_texts(ready: Server) -> None:
    ready.event(
        "TASKS_CREATED", tasks=[{"id": 1, "data": {"text": "a"}}, {"id": 2, "data": {}}, {"data": {"text": "x"}}]
    )
    assert tasks.texts(ready.services.engine, 7, [1, 2]) == {1: "a"}
    assert jobs.get(ready.services.engine, 7)["annotate"].state == "queued"


def test_start_training_answers_an_object_and_starts_one_job(ready: Server) -> None:
    for _ in range(3):
        answer = ready.event("START_TRAINING")
        assert (answer.status_code, answer.json()) == (200, {})
    assert ready.services.queue.place("train", 7) == "waiting"
    assert ready.services.queue.waiting()["train"] == 1


def test_enough_labels_start_a_training(ready: Server) -> None:
    ready.version(extra={"RETRAIN_AFTER": 3})
    ready.services.queue.cancel("annotate", 7)
    for task in (1, 2):
        ready.label(task, "billing")
    assert ready.services.queue.place("train", 7) == "absent"
    ready.label(3, "billing")
    assert ready.services.queue.place("train", 7) == "waiting"


def test_an_event_of_a_project_that_was_never_set_up_is_kept(server: Server) -> None:
    stated = {"id": 9, "title": "new", "label_config": CONFIG_A, "created_at": "2026-11-21T05:41:38.567581Z"}
    body = {"action": "ANNOTATION_CREATED", "annotation": annotation_body(1, 5, "refund"), "project": stated}
    server.post("/webhook", {**body, "task": {"id": 5, "data": {"text": "a"}}})
    server.parts.background.drain()
    assert human_labels(server.services.engine, 9)[5].labels == ("refund",)
    assert server.project(9).created == "1795239698"


MALFORMED: list[object] = [
    "", "{", "[]", "null", "7", '"text"', b"\xff\xfe", "[" * 100_000,
    {}, {"action": None}, {"action": "NEW_ACTION", "project": {"id": 7}}, {"action": ["x"]},
    {"action": "ANNOTATION_CREATED"}, {"action": "ANNOTATION_CREATED", "project": 7},
    {"action": "ANNOTATION_CREATED", "project": {"id": 7}, "annotation": None, "task": 3},
    {"action": "ANNOTATION_CREATED", "project": {"id": 7}, "annotation": {"id": 1}},
    {"action": "ANNOTATION_CREATED", "project": {"id": 7}, "annotation": [[], 3, None, {"id": "x", "task": {}}]},
    {"action": "ANNOTATION_CREATED", "project": {"id": 2**80}, "annotation": {"id": 2**80, "task": 1}},
    {"action": "ANNOTATIONS_DELETED", "project": {"id": 7}, "annotations": "all"},
    {"action": "TASKS_CREATED", "project": {"id": 7}, "tasks": {"id": 1, "data": 3}},
    {"action": "TASKS_DELETED", "project": {"id": 7}},
    {"action": "PROJECT_UPDATED", "project": {"id": 7, "label_config": 3}},
    {"action": "PROJECT_UPDATED", "project": {"id": 7, "label_config": "<View", "title": None}},
    {"action": "START_TRAINING", "project": {"id": 4711}}, {"action": "START_TRAINING"},
]  # fmt: skip


@pytest.mark.parametrize("body", MALFORMED, ids=lambda body: str(body)[:60])
def test_anything_is_answered_with_an_empty_object(ready: Server, body: object) -> None:
    answer = ready.post("/webhook", body)
    assert (answer.status_code, answer.json()) == (200, {})
    ready.parts.background.drain()
    ready.label(77, "billing")
    assert labels(ready) in ({77: ("billing",)}, {}) or body


def test_background_work_is_in_order_survives_errors_and_is_bounded() -> None:
    background = Background(longest=2)
    done: list[int] = []
    assert background.do("one", lambda: done.append(1), wait_seconds=60)
    assert background.do("bad", lambda: 1 / 0, wait_seconds=60)
    assert background.do("two", lambda: done.append(2), wait_seconds=60)
    background.drain()
    assert done == [1, 2]
    from threading import Event

    gate = Event()
    assert not background.do("slow", gate.wait, wait_seconds=0.01)
    background.do("waits", lambda: done.append(3))
    background.do("refused", lambda: done.append(4))
    gate.set()
    background.drain()
    background.close()
    assert done == [1, 2, 3]
