"""Generated requests over all routes, half of them of other sites (as `test_guard.py` walks all routes): no 5xx, the
right number of entries, nobody comes in who may not, and the server goes on.

FUZZ_REQUESTS says how many in all; 20,000 for a thorough run:

    FUZZ_REQUESTS=20000 .venv/bin/pytest tests/backend/web/test_fuzz.py
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from typing import Any

import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.web.events import ACTIONS
from tests.support.configs import CONFIG_A, CONFIG_B, TAXONOMY
from tests.support.web_server import Server

REQUESTS = int(os.environ.get("FUZZ_REQUESTS", "1500"))  # shared by the tests of generated requests
HALF, EACH = (
    settings(max_examples=REQUESTS // part, deadline=None, suppress_health_check=list(HealthCheck)) for part in (2, 8)
)
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
VALUES_OF = {"number": ["7", "0", "99999999999999999999"], "prefix": ["7", "x", "%00"],
             "filename": ["style.css", "../x"], "name": ["pause", "train", "x"]}  # fmt: skip
METHODS = st.sampled_from(["GET", "POST", "DELETE", "PUT", "HEAD", "OPTIONS", "PATCH"])
JSON, FORM = "application/json", "application/x-www-form-urlencoded"
OTHER_SITES = [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"},
               {"Sec-Fetch-Site": "same-site", "Origin": "http://localhost:1"}, {"Host": "evil.example"},
               {"Host": "localhost.evil.example:9090", "Sec-Fetch-Site": "none"}]  # fmt: skip
FOREIGN: st.SearchStrategy[Mapping[str, str]] = st.sampled_from(OTHER_SITES)
KINDS = st.sampled_from([JSON, JSON, FORM, "text/plain", "multipart/form-data; boundary=x", ""])


def paths(server: Server) -> list[str]:
    """Addresses of every route that the app has, and of none."""
    found = {"/nowhere", "//setup", "/projects//7"}
    for rule in server.app.url_map.iter_rules():
        for place in range(3):
            values = {name: given[place % len(given)] for name, given in VALUES_OF.items()}
            found.add(re.sub(r"<(?:\w+:)?(\w+)>", lambda part, values=values: values[part[1]], rule.rule))
    return sorted(found)


TASK = st.fixed_dictionaries({"id": st.integers(1, 50), "data": st.fixed_dictionaries({"text": VALUES})})
TASKS = st.lists(VALUES | TASK, max_size=20)


def encoded(body: Any) -> str:
    return json.dumps(body)


def send(server: Server, place: int, method: str, body: bytes, headers: Mapping[str, str]) -> requests.Response:
    """To one of all addresses."""
    every = paths(server)
    url = server.url + every[place % len(every)]
    return server.http.request(method, url, data=body, headers=dict(headers), timeout=240, allow_redirects=False)


ANY = st.one_of(st.builds(lambda body: encoded(body).encode(), OBJECTS | VALUES), st.binary(max_size=200))


@HALF
@given(place=st.integers(0, 10**6), method=METHODS, body=ANY, kind=KINDS, foreign=FOREIGN)
def test_anything_of_another_site_is_refused_everywhere(
    server: Server, place: int, method: str, body: bytes, kind: str, foreign: Mapping[str, str]
) -> None:
    answer = send(server, place, method, body, {"Content-Type": kind, **foreign})
    assert answer.status_code == 403, answer.reason


@EACH
@given(place=st.integers(0, 10**6), method=METHODS, body=ANY, kind=KINDS)
def test_anything_anywhere(server: Server, place: int, method: str, body: bytes, kind: str) -> None:
    answer = send(server, place, method, body, {"Content-Type": kind})
    assert answer.status_code < 500, answer.reason
    assert answer.reason
    path = answer.request.path_url
    if path.startswith("/projects/"):
        assert not body or method in ("GET", "HEAD", "OPTIONS") or kind != JSON or answer.status_code == 415
    elif body and kind != JSON:
        assert answer.status_code == 415
    elif method == "POST" and path.endswith("/webhook") and kind == JSON:
        assert (answer.status_code, answer.json()) == (200, {})


@EACH
@given(project=PROJECTS, xml=CONFIGS | VALUES, extra=VALUES)
def test_any_setup(server: Server, project: str, xml: Any, extra: Any) -> None:
    answer = server.post("/setup", encoded({"project": project, "schema": xml, "extra_params": extra}))
    assert answer.status_code in (200, 400, 422), answer.text
    if answer.status_code == 200:
        assert answer.json()["model_version"]


@EACH
@given(project=PROJECTS | VALUES, xml=CONFIGS | VALUES, given_tasks=TASKS, context=VALUES)
def test_any_predict_has_one_entry_per_task(
    server: Server, project: Any, xml: Any, given_tasks: list[Any], context: Any
) -> None:
    body = {"project": project, "label_config": xml, "tasks": given_tasks, "params": {"context": context}}
    answer = server.post("/predict", encoded(body))
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["results"]) == len(given_tasks)


@EACH
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
