"""The way below Flask answers as Flask does: the bar is the same request to a prefixed path, which Flask answers."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from backend.web import bodies, fast_path
from backend.web.context import WebContext
from tests.support.configs import CONFIG_A
from tests.support.web_server import CREATED, Server, task_body

KEY = f"7.{CREATED}"
GOOD: Mapping[str, object] = {
    "/setup": {"project": KEY, "schema": CONFIG_A, "extra_params": None},
    "/predict": {"project": KEY, "label_config": CONFIG_A, "tasks": [task_body(1, "hello"), {"id": "x"}, 5]},
    "/webhook": {"action": "PROJECT_UPDATED", "project": {"id": 7, "title": "tickets"}},
}
BODIES: list[bytes] = [
    b"", b"null", b"[]", b"{}", b"{", b"\xff\xfe", b'{"project": NaN}', b'{"tasks": 5}', b"[" * 100_000,
    json.dumps({"project": KEY, "schema": "<View/>"}).encode(),
    json.dumps({"project": KEY, "schema": CONFIG_A, "extra_params": "{"}).encode(),
    json.dumps({"project": KEY, "schema": CONFIG_A, "extra_params": {"NO_SUCH": 1}}).encode(),
]  # fmt: skip


def whole(server: Server, path: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, str, Any, bytes]:
    """Status, reason, headers but for the time, body."""
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=240)
    connection.request("POST", path, body, {"Content-Type": "application/json", **headers})
    answer = connection.getresponse()
    found = answer.status, answer.reason, sorted(pair for pair in answer.getheaders() if pair[0] != "Date")
    content = answer.read()
    connection.close()
    return *found, content


@pytest.mark.parametrize("path", GOOD)
def test_answers_are_those_of_the_app(server: Server, path: str) -> None:
    server.version()
    for body in [json.dumps(GOOD[path]).encode(), *BODIES]:
        assert whole(server, path, body, {}) == whole(server, f"/p/7{path}", body, {}), body[:80]


def test_what_is_not_plain_takes_the_long_way(
    server: Server, serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[bytes] = []
    endpoint, plain = fast_path.CALLS["POST", "/setup"]

    def noted(here: WebContext, body: fast_path.Body) -> bytes:
        taken.append(plain(here, body))
        return taken[-1]

    monkeypatch.setitem(fast_path.CALLS, ("POST", "/setup"), (endpoint, noted))
    body = json.dumps(GOOD["/setup"]).encode()
    assert whole(server, "/setup", body, {})[0] == 200
    assert len(taken) == 1
    monkeypatch.setattr(bodies, "MAX_BODY_BYTES", len(body) - 1)
    assert whole(server, "/setup", body, {})[0] == 413
    monkeypatch.setattr(bodies, "MAX_BODY_BYTES", 10**6)
    guarded = serve(BASIC_AUTH_USER="user", BASIC_AUTH_PASS="password")
    assert whole(guarded, "/setup", body, {})[0] == 401
    assert len(taken) == 1
    assert whole(guarded, "/setup", body, {"Authorization": "Basic dXNlcjpwYXNzd29yZA=="})[0] == 200
    assert len(taken) == 2


def test_both_ways_are_counted_alike(server: Server) -> None:
    for path in ("/setup", "/p/7/setup"):
        assert server.post(path, GOOD["/setup"]).status_code == 200
        assert server.post(path, "{").status_code == 400
    page = server.get("/metrics").text
    assert 'shortlist_requests_total{endpoint="setup",status="200"} 2.0' in page
    assert 'shortlist_requests_total{endpoint="setup",status="400"} 2.0' in page
