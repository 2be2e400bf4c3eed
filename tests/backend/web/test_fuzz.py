"""Generated requests over all endpoints: no 5xx, the right number of entries, and the server goes on.

FUZZ_REQUESTS says how many in all; 20,000 for a thorough run:

    FUZZ_REQUESTS=20000 .venv/bin/pytest tests/backend/web/test_fuzz.py
"""

from __future__ import annotations

import json
import os
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.web.events import ACTIONS
from tests.support.configs import CONFIG_A, CONFIG_B, TAXONOMY
from tests.support.web_server import Server

REQUESTS = int(os.environ.get("FUZZ_REQUESTS", "2000"))  # shared by the five tests of generated requests
FUZZ = settings(max_examples=REQUESTS // 5, deadline=None, suppress_health_check=list(HealthCheck))
KEYS = [
    "action", "annotation", "annotations", "choices", "completed_by", "config", "context", "control", "data",
    "extra_params", "from_name", "id", "job", "label_config", "params", "prediction", "project", "result",
    "schema", "score", "task", "tasks", "text", "title", "updated_at", "value", "model_version", "was_cancelled",
    "created_at",
]  # fmt: skip
CONFIG_TEXTS = [CONFIG_A, CONFIG_B, TAXONOMY, "<View/>"]
SPECIAL = [
    "7",
    "7.1795239698",
    "billing",
    "label",
    "START_TRAINING",
    "\x00",
    "\ud800",
    "2026-11-21T05:43:14Z",
    "",
    "{}",
]
SPECIAL += CONFIG_TEXTS
NUMBERS = st.integers() | st.sampled_from([0, 1, 7, 8, -1, 2**31, 2**63, 2**64, 10**400])
SCALARS = st.none() | st.booleans() | NUMBERS | st.floats() | st.text(max_size=20) | st.sampled_from(SPECIAL)
NAMES = st.sampled_from(KEYS) | st.text(max_size=5)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=20,
)
OBJECTS = st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=6)
PROJECTS = st.sampled_from(["7.1795239698", "8.1", "7"])
CONFIGS = st.sampled_from(CONFIG_TEXTS)
PATHS = ["/", "/health", "/setup", "/predict", "/webhook", "/versions", "/job_status", "/delete", "/duplicate_model",
         "/validate", "/train", "/metrics", "/ready", "/projects", "/projects/7", "/projects/7.json", "/p/7/predict",
         "/p/x/versions", "/p/7/job_status", "/p/7/webhook", "/projects/7/pause", "/projects/7/train",
         "/projects/7/x"]  # fmt: skip
TASK = st.fixed_dictionaries({"id": st.integers(1, 50), "data": st.fixed_dictionaries({"text": VALUES})})
TASKS = st.lists(VALUES | TASK, max_size=20)


def encoded(body: Any) -> str:
    return json.dumps(body)


@FUZZ
@given(path=st.sampled_from(PATHS), method=st.sampled_from(["GET", "POST", "DELETE"]), body=OBJECTS | VALUES)
def test_any_object_anywhere(server: Server, path: str, method: str, body: Any) -> None:
    answer = server.http.request(method, server.url + path, data=encoded(body), timeout=30)
    assert answer.status_code < 500, answer.text
    assert answer.reason
    if path.endswith("/webhook") and method == "POST":
        assert (answer.status_code, answer.json()) == (200, {})


@FUZZ
@given(path=st.sampled_from(PATHS), method=st.sampled_from(["GET", "POST", "PUT"]), body=st.binary(max_size=200))
def test_any_bytes_anywhere(server: Server, path: str, method: str, body: bytes) -> None:
    answer = server.http.request(method, server.url + path, data=body, timeout=30)
    assert answer.status_code < 500, answer.text
    if path.endswith("/webhook") and method == "POST":
        assert (answer.status_code, answer.json()) == (200, {})


@FUZZ
@given(project=PROJECTS, xml=CONFIGS | VALUES, extra=VALUES)
def test_any_setup(server: Server, project: str, xml: Any, extra: Any) -> None:
    answer = server.post("/setup", encoded({"project": project, "schema": xml, "extra_params": extra}))
    assert answer.status_code in (200, 400, 422), answer.text
    if answer.status_code == 200:
        assert answer.json()["model_version"]


@FUZZ
@given(project=PROJECTS | VALUES, xml=CONFIGS | VALUES, given_tasks=TASKS, context=VALUES)
def test_any_predict_has_one_entry_per_task(
    server: Server, project: Any, xml: Any, given_tasks: list[Any], context: Any
) -> None:
    body = {"project": project, "label_config": xml, "tasks": given_tasks, "params": {"context": context}}
    answer = server.post("/predict", encoded(body))
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["results"]) == len(given_tasks)


@FUZZ
@given(action=st.sampled_from(sorted(ACTIONS)), keys=OBJECTS, project=VALUES | st.just({"id": 7}))
def test_any_event(server: Server, action: str, keys: dict[str, Any], project: Any) -> None:
    answer = server.post("/webhook", encoded({**keys, "action": action, "project": project}))
    assert (answer.status_code, answer.json()) == (200, {})


def test_the_server_still_works_after_all_of_it(server: Server) -> None:
    test_any_event(server)
    server.parts.background.drain()
    version = server.version(70)
    server.answered({1: "a"}, ["refund"], 70)
    assert server.predict({1: "a"}, 70)[0]["model_version"] == version
