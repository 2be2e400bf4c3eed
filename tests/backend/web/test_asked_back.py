"""What an event takes away or changes counts only after Label Studio was asked; what it adds counts at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from backend.jobs import sync
from backend.pool import incidents, tasks
from backend.pool.annotations import human_labels
from backend.projects.job import Job
from backend.projects.updates import remember
from tests.support.label_studio_double import CONFIG, TOKEN, LabelStudioDouble
from tests.support.web_server import Server, annotation_body
from tests.support.world import CREATED


@pytest.fixture
def asked(serve: Callable[..., Server], double: LabelStudioDouble) -> Server:
    """A server that knows what its Label Studio has: two tasks, one of them labelled."""
    first, _ = double.add_tasks(["charged twice", "where is it"])
    double.annotate(first, ["billing"])
    server = serve(LABEL_STUDIO_URL=double.url, LABEL_STUDIO_API_KEY=TOKEN)
    remember(server.services, 7, CREATED, CONFIG, title="tickets")
    compare(server)
    server.services.queue.cancel("sync", 7)
    return server


def compare(server: Server) -> None:
    """The job that an event asks for."""
    sync.work(Job(server.services, "sync", 7))


def state(server: Server) -> tuple[object, ...]:
    engine, project = server.services.engine, server.project()
    labels = {task: label.labels for task, label in human_labels(engine, 7).items()}
    return labels, tasks.texts(engine, 7, range(1, 99)), project.label_config, project.title


def send(server: Server, action: str, **keys: Any) -> None:
    """An event, worked through."""
    server.post("/webhook", {"action": action, "project": {"id": 7}, **keys})
    server.parts.background.drain()


def waits(server: Server) -> bool:
    return server.services.queue.place("sync", 7) == "waiting"


CHANGED = {"id": 7, "title": "stolen", "label_config": CONFIG.replace("shipping", "theft")}
CLAIMS: list[dict[str, Any]] = [
    {"action": "TASKS_DELETED", "tasks": [{"id": 1}, {"id": 2}]}, {"action": "TASK_DELETED", "task": {"id": 1}},
    {"action": "TASKS_DELETED", "tasks": [1, 2]}, {"action": "ANNOTATIONS_DELETED", "annotations": [{"id": 3}]},
    {"action": "ANNOTATION_DELETED", "annotation": {"id": 3}}, {"action": "PROJECT_UPDATED", "project": CHANGED},
    {"action": "ANNOTATION_UPDATED", "task": {"id": 1},
     "annotation": annotation_body(3, 1, was_cancelled=True, updated_at="2031-01-01T00:00:00Z")},
    {"action": "ANNOTATION_UPDATED", "task": {"id": 1},
     "annotation": annotation_body(3, 1, "refund", updated_at="2031-01-01T00:00:00Z")},
    {"action": "ANNOTATIONS_CREATED", "task": [{"id": 2}],
     "annotation": [annotation_body(3, 2, "billing", updated_at="2031-01-01T00:00:00Z")]},
    {"action": "ANNOTATION_CREATED", "task": {"id": 2}, "annotation": annotation_body(77, 2, "refund")},
    {"action": "TASKS_CREATED", "tasks": [{"id": 1, "data": {"text": "another text"}}]},
]  # fmt: skip


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: f"{claim['action']}-{len(str(claim))}")
def test_what_is_not_true_of_label_studio_changes_nothing(asked: Server, claim: dict[str, Any]) -> None:
    before = state(asked)
    asked.post("/webhook", {"project": {"id": 7}, **claim})
    asked.parts.background.drain()
    assert state(asked) == before
    assert waits(asked)
    compare(asked)
    assert state(asked) == before


def test_what_is_true_counts_after_the_comparison_that_it_starts(asked: Server, double: LabelStudioDouble) -> None:
    third, fourth = double.add_tasks(["one more", "and one"])
    kept = double.annotate(fourth, ["shipping"])
    compare(asked)
    known = incidents.recent(asked.services.engine, 7)
    del double.tasks[2]
    double.remove_annotation(1, 3)
    row = double.tasks[fourth]["annotations"][0]
    row |= {"updated_at": double.time(), "result": [{**row["result"][0], "value": {"choices": ["refund"]}}]}
    double.tasks[fourth]["updated_at"] = double.time()
    double.fields |= {"title": "new", "label_config": CONFIG.replace("charges", "fees")}
    for claim in (
        {"action": "TASKS_DELETED", "tasks": [{"id": 2}]},
        {"action": "ANNOTATIONS_DELETED", "annotations": [{"id": 3}]},
        {"action": "ANNOTATION_UPDATED", "annotation": {**row, "task": fourth}, "task": {"id": fourth}},
        {"action": "PROJECT_UPDATED", "project": {"id": 7, "title": "new"}},
    ):
        asked.post("/webhook", {"project": {"id": 7}, **claim})
    asked.parts.background.drain()
    assert waits(asked)
    compare(asked)
    assert row["id"] == kept
    texts = {1: "charged twice", third: "one more", fourth: "and one"}
    assert state(asked) == ({fourth: ("refund",)}, texts, CONFIG.replace("charges", "fees"), "new")
    assert incidents.recent(asked.services.engine, 7) == known  # events had told of all of it


def test_deleted_tasks_are_found_though_as_many_came_from_nowhere(asked: Server, double: LabelStudioDouble) -> None:
    send(asked, "TASKS_CREATED", tasks=[{"id": 50, "data": {"text": "invented"}}])
    del double.tasks[2]
    double.add_tasks(["new"])
    send(asked, "TASKS_DELETED", tasks=[{"id": 2}])
    compare(asked)
    assert set(tasks.all_ids(asked.services.engine, 7)) == set(double.tasks)


def test_what_adds_counts_at_once(asked: Server, double: LabelStudioDouble) -> None:
    (task,) = double.add_tasks(["brand new"])
    number = double.annotate(task, ["refund"])
    (row,) = double.tasks[task]["annotations"]
    body = {"annotation": {**row, "task": task}, "task": {"id": task, "data": {"text": "brand new"}}}
    for _ in range(2):
        send(asked, "ANNOTATION_CREATED", **body)
    labels, texts, *_ = state(asked)
    assert (labels, texts) == (
        {1: ("billing",), task: ("refund",)},
        {1: "charged twice", 2: "where is it", task: "brand new"},
    )
    assert not waits(asked)
    assert number == row["id"]
    send(asked, "ANNOTATIONS_DELETED", annotations=[{"id": 999}])  # of something that is not known here
    send(asked, "PROJECT_UPDATED")
    assert not waits(asked)


def test_an_annotation_that_was_deleted_long_ago_does_not_come_back_late(
    asked: Server, double: LabelStudioDouble
) -> None:
    number = double.annotate(2, ["refund"])
    (late,) = double.tasks[2]["annotations"]
    double.remove_annotation(2, number)
    double._now = double._now.replace(minute=30)
    double.add_tasks(["later"])
    compare(asked)
    before = state(asked)
    send(asked, "ANNOTATION_CREATED", annotation={**late, "task": 2}, task={"id": 2})
    compare(asked)
    assert state(asked) == before


@pytest.mark.parametrize("claim", CLAIMS[:7], ids=lambda claim: f"{claim['action']}-{len(str(claim))}")
def test_without_a_key_nothing_is_taken_away_and_the_page_says_so(server: Server, claim: dict[str, Any]) -> None:
    server.version(xml=CONFIG)
    for task, text in ((1, "charged twice"), (2, "where is it")):
        server.event("TASKS_CREATED", tasks=[{"id": task, "data": {"text": text}}])
    server.event("ANNOTATION_CREATED", annotation=annotation_body(3, 1, "billing"), task={"id": 1})
    before = state(server)
    server.post("/webhook", {"project": {"id": 7}, **claim})
    server.parts.background.drain()
    assert state(server)[:3] == before[:3]
    if claim["action"] != "PROJECT_UPDATED":  # /setup tells of a label config, and a title takes nothing away
        assert "nothing was taken away here" in server.get("/projects/7").text


def test_without_a_key_people_may_still_change_their_minds(server: Server) -> None:
    server.version(xml=CONFIG)
    number = server.label(5, "billing")
    newer = annotation_body(number, 5, "refund", updated_at="2026-11-21T06:00:00Z")
    server.event("ANNOTATION_UPDATED", annotation=newer, task={"id": 5})
    assert human_labels(server.services.engine, 7)[5].labels == ("refund",)


def test_a_label_studio_that_is_away_is_asked_later(asked: Server, double: LabelStudioDouble) -> None:
    before = state(asked)
    del double.tasks[2]
    double.faults["GET"] = [(503, "away")]
    send(asked, "TASKS_DELETED", tasks=[{"id": 2}])
    with pytest.raises(Exception, match="503"):
        compare(asked)
    assert state(asked) == before
    compare(asked)
    assert tasks.all_ids(asked.services.engine, 7) == [1]
