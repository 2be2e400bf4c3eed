"""Basic auth on everything but /health."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest

from tests.support.web_server import Server

USER, PASSWORD = "shortlist", "pass: wörd"
PATHS = ["/", "/versions", "/job_status", "/metrics", "/projects", "/projects/7", "/projects/7.json", "/nowhere",
         "/static/style.css", "/p/7/versions"]  # fmt: skip
POSTS = ["/setup", "/predict", "/webhook", "/validate", "/train", "/delete", "/duplicate_model", "/p/7/webhook"]


@pytest.fixture
def guarded(serve: Callable[..., Server]) -> Server:
    return serve(BASIC_AUTH_USER=USER, BASIC_AUTH_PASS=PASSWORD)


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def test_health_is_open(guarded: Server) -> None:
    assert guarded.get("/health").status_code == 200
    assert guarded.get("/p/7/health").status_code == 200


WRONG = [None, "", "Basic", "Basic !!!", "Basic ====", basic(USER, "wrong"), basic("other", PASSWORD), basic("", ""),
         "Bearer abc", "Bearer " + basic(USER, PASSWORD)[6:], "Token 0123", "Digest username=x", "Basic Zm9v", "\x7f",
         "Negotiate", "Basic " + base64.b64encode(b"\xff\xfe:\xff").decode()]  # fmt: skip


@pytest.mark.parametrize("header", WRONG)
def test_everything_else_needs_the_right_login(guarded: Server, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    for path in PATHS:
        assert guarded.http.get(guarded.url + path, headers=headers, timeout=240).status_code == 401
    for path in POSTS:
        answer = guarded.http.post(guarded.url + path, json={"action": "START_TRAINING"}, headers=headers, timeout=240)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Basic")


def test_the_right_login_opens_everything(guarded: Server) -> None:
    guarded.http.headers["Authorization"] = basic(USER, PASSWORD)
    assert guarded.setup().status_code == 200
    assert guarded.predict({1: "a"}) == [[]]
    assert guarded.event("START_TRAINING").json() == {}
    assert guarded.get("/projects/7").status_code == 200


def test_without_a_login_any_header_is_fine(server: Server) -> None:
    for header in WRONG:
        headers = {} if header is None else {"Authorization": header}
        assert server.http.get(server.url + "/versions", headers=headers, timeout=240).status_code == 200
