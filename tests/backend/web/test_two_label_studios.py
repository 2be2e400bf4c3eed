"""Two Label Studios ask one Shortlist, each of them for its project 7."""

from __future__ import annotations

from typing import Any

import pytest

from backend.pool import annotations, incidents, tasks
from backend.pool.identity import STEP
from backend.pool.projects import find
from tests.support.configs import CONFIG_A
from tests.support.web_server import CREATED, Server, annotation_body, task_body

OTHER, SECOND = "1895239698", 7 + STEP
MADE = {CREATED: "2026-11-21T05:41:38.567581Z", OTHER: "2030-01-21T15:28:18.000000Z"}
PLACES = {CREATED: "http://localhost:8080", OTHER: "https://labels.example.com"}


def setup(server: Server, created: str) -> str:
    body = {"project": f"7.{created}", "schema": CONFIG_A, "hostname": PLACES[created], "access_token": "t" * 40}
    answer = server.post("/setup", body)
    assert answer.status_code == 200, answer.reason
    return str(answer.json()["model_version"])


def open_task(server: Server, created: str, text: str) -> list[Any]:
    body = {
        "project": f"7.{created}",
        "label_config": CONFIG_A,
        "params": {"context": None},
        "tasks": [task_body(1, text, 7)],
    }
    found = server.post("/predict", body).json()["results"]
    server.parts.background.drain()
    return list(found)


def event(server: Server, created: str, action: str, **keys: Any) -> None:
    stated = {"id": 7, "title": "tickets", "label_config": CONFIG_A, "created_at": MADE[created]}
    assert server.post("/webhook", {"action": action, "project": stated, **keys}).json() == {}
    server.parts.background.drain()


@pytest.fixture
def both(server: Server) -> Server:
    """Each has been served a few times, in turns, with a task 1 of its own."""
    for _ in range(3):
        for created in (CREATED, OTHER):
            setup(server, created)
            open_task(server, created, f"a text of {created}")
    return server


def test_each_keeps_its_tasks(both: Server) -> None:
    engine = both.services.engine
    assert tasks.texts(engine, 7, [1]) == {1: f"a text of {CREATED}"}
    assert tasks.texts(engine, SECOND, [1]) == {1: f"a text of {OTHER}"}


def test_an_event_is_about_the_project_of_its_own_label_studio(both: Server) -> None:
    for number, (created, label) in enumerate(((CREATED, "billing"), (OTHER, "refund")), start=1):
        submitted = annotation_body(number, 1, label)
        task = {"id": 1, "data": {"text": f"a text of {created}"}}
        event(both, created, "ANNOTATION_CREATED", annotation=submitted, task=task)
    event(both, OTHER, "TASKS_DELETED", tasks=[{"id": 1}])
    engine = both.services.engine
    assert annotations.human_labels(engine, 7)[1].labels == ("billing",)
    assert annotations.human_labels(engine, SECOND)[1].labels == ("refund",)
    assert (tasks.count(engine, 7), tasks.count(engine, SECOND)) == (1, 1)  # nobody can be asked whether it is true
    told = {number: [row.what for row in incidents.recent(engine, number)] for number in (7, SECOND)}
    assert [any("deleted" in what for what in told[number]) for number in (7, SECOND)] == [False, True], told


def test_an_event_that_does_not_tell_whose_it_is_changes_nothing(both: Server) -> None:
    body = {"action": "TASKS_DELETED", "project": {"id": 7}, "tasks": [{"id": 1}]}
    assert both.post("/webhook", body).json() == {}
    both.parts.background.drain()
    engine = both.services.engine
    assert (tasks.count(engine, 7), tasks.count(engine, SECOND)) == (1, 1)


def test_pages_tell_them_apart(both: Server) -> None:
    first, second = (both.get(f"/projects/{number}.json").json() for number in (7, SECOND))
    assert (first["project"], first["label_studio"]["project"]) == (7, 7)
    assert second["label_studio"] == {"project": 7, "address": PLACES[OTHER], "elsewhere": False}
    assert "Project 7 of https://labels.example.com" in both.get("/projects").text
    assert "Project 7 of https://labels.example.com" in both.get(f"/projects/{SECOND}").text
    assert "Project 7 of" not in both.get("/projects/7").text


@pytest.mark.parametrize("place", ["javascript:alert(1)", "<b>", 7, None, "http://x" * 200])
def test_only_an_address_is_shown_as_one(server: Server, place: object) -> None:
    body = {"project": f"7.{CREATED}", "schema": CONFIG_A, "hostname": place}
    assert server.post("/setup", body).status_code == 200
    found = find(server.services.engine, 7, CREATED)
    assert found is not None
    assert found.instance == ""
