"""What GROUP names and no text shows is kept of every task, by whichever way it came: opened, told, created, edited."""

from __future__ import annotations

from typing import Any

import pytest

from backend.pool import queries
from benchmarks.shared.waiting import wait_for
from tests.support.web_server import CREATED, Server, annotation_body

CONFIG = """<View><Text name="text" value="$question"/><Text name="doc" value="$document"/>
  <Choices name="label" toName="text"><Choice value="irrelevant"/><Choice value="relevant"/></Choices></View>"""


@pytest.fixture
def searching(server: Server) -> Server:
    """A search project whose query is a field that the form does not show."""
    server.version(xml=CONFIG, extra={"GROUP": "topic"})
    server.services.queue.cancel("annotate", 7)
    return server


def data(task: int, **more: Any) -> dict[str, Any]:
    """What a task holds."""
    return {"question": f"where is parcel {task}", "document": f"text {task}", **more}


def opened(server: Server, *given: dict[str, Any]) -> list[Any]:
    """Tasks are opened in Label Studio; the entries that it gets."""
    rows = [{"id": place, "data": one, "project": 7, "annotations": []} for place, one in enumerate(given, start=1)]
    body = {"project": f"7.{CREATED}", "label_config": CONFIG, "params": {"context": None}, "tasks": rows}
    answer = server.post("/predict", body)
    assert answer.status_code == 200
    server.parts.background.drain()
    return list(answer.json()["results"])


def found(server: Server) -> dict[int, str]:
    """The queries of the first tasks."""
    return queries.read(server.services.engine, 7, [1, 2, 3])


def test_of_tasks_that_are_opened(searching: Server) -> None:
    opened(searching, data(1, topic=4), data(2, topic=" four "), data(3))
    assert found(searching) == {1: "4", 2: "four"}


def test_of_a_task_that_the_teacher_answers_at_once(searching: Server) -> None:
    wait_for("a teacher in memory", lambda: opened(searching, data(1))[0], 240)
    assert found(searching) == {}
    assert opened(searching, data(1, topic=4) | {"document": "another text"}) != [[]]
    assert found(searching) == {1: "4"}


def test_of_tasks_that_label_studio_tells_of(searching: Server) -> None:
    searching.event("TASKS_CREATED", tasks=[{"id": 1, "data": data(1, topic=4)}, {"id": 2, "data": data(2)}])
    annotation = annotation_body(1, 3, "relevant")
    searching.event("ANNOTATION_CREATED", annotation=annotation, task={"id": 3, "data": data(3, topic="five")})
    assert found(searching) == {1: "4", 3: "five"}


def test_another_query_of_a_known_task_counts_and_of_other_projects_none_is_kept(searching: Server) -> None:
    opened(searching, data(1, topic=4))
    edited = data(1, topic=5) | {"document": "another text"}
    opened(searching, edited)
    assert found(searching) == {1: "5"}
    searching.version(xml=CONFIG, extra={"GROUP": "none"})
    opened(searching, data(1, topic=6), data(2, topic=6))
    assert 2 not in found(searching)
