"""One guard in front of every route: whatever the app has is walked, so that a new route need not be named here."""

from __future__ import annotations

import http.client
import re
from collections.abc import Callable, Iterator, Mapping

import pytest

from backend.pool import tasks
from tests.support.configs import CONFIG_A
from tests.support.web_server import CREATED, Server

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "BREW")
VALUES = {"number": "7", "prefix": "7", "name": "pause", "filename": "style.css"}
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
FOREIGN: list[Mapping[str, str]] = [
    {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
    {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate",
     "Sec-Fetch-Dest": "document"},
    {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": ""}, {"Origin": "http://localhost:1"},
    {"Origin": "file://"}, {"Origin": "http://127.0.0.1.evil.example"}, {"Origin": "http://127.0.0.1@evil.example"},
    {"Origin": "null", "Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": ""},
    {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate",
                                       "Sec-Fetch-Dest": "iframe"},
]  # fmt: skip
STRANGE = ["evil.example", "evil.example:9090", "localhost.evil.example", "127.0.0.1.evil.example", "127.0.0.1.nip.io",
           "localhost@evil.example", "evil.example#localhost", "localhost,evil.example", "10.1.2.3", "[2001:db8::1]",
           "[::2]:80", "localhost..", "", "127.1", "2130706433", "0.0.0.0", "http://localhost", "localhost:x",
           "xn--lcalhost-54a", "[::1", "::1", "[::1%25lo]", "localhost:80:80", "\tlocalhost evil"]  # fmt: skip
KNOWN = ["localhost", "LOCALHOST:9090", "localhost.", "localhost.:80", "127.0.0.1", "127.0.0.1:1", "127.8.9.1", "[::1]",
         "[::1]:9090", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "backend.internal", "Backend.Internal.:8443",
         "shortlist_web", "other.internal:1"]  # fmt: skip


def paths(server: Server) -> Iterator[str]:
    """An address of every route, static files included, and some of none."""
    for rule in server.app.url_map.iter_rules():
        yield re.sub(r"<(?:\w+:)?(\w+)>", lambda found: VALUES[found[1]], rule.rule)
    yield from ("/nowhere", "//setup", "/projects/7/../../setup", "/setup/", "/p/7/predict/", "/static/../app.py")


def ask(
    server: Server, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None
) -> tuple[int, str]:
    """Status and reason, with exactly these headers."""
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=240)
    connection.putrequest(method, path, skip_host="Host" in headers, skip_accept_encoding=True)
    for name, value in headers.items():
        connection.putheader(name, value.encode("latin-1"))
    if body is not None:
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    answer = connection.getresponse()
    found = answer.status, answer.reason
    answer.read()
    connection.close()
    return found


@pytest.fixture
def full(server: Server) -> Server:
    """A project with something to lose."""
    server.version()
    server.answered({1: "a", 2: "b"}, ["refund"])
    return server


def untouched(server: Server) -> bool:
    row = server.project()
    return (tasks.count(server.services.engine, 7), row.options, row.paused) == (2, {}, False)


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_no_route_is_open_to_other_sites(full: Server, headers: Mapping[str, str]) -> None:
    for path in paths(full):
        for method in METHODS:
            kind = FORM if path.startswith("/projects/") else JSON  # what would be let in of our own pages
            assert ask(full, method, path, {**headers, **kind})[0] == 403, (method, path)
    wipe = f'{{"project": "7.1", "schema": {CONFIG_A!r}, "extra_params": {{"BUDGET_USD": 99}}}}'.encode()
    assert ask(full, "POST", "/setup", {**headers, "Content-Type": "text/plain"}, wipe)[0] == 403
    assert untouched(full)


@pytest.mark.parametrize("name", STRANGE)
def test_no_route_answers_under_a_foreign_name(full: Server, name: str) -> None:
    for path in paths(full):
        for method in ("GET", "HEAD", "OPTIONS", "POST"):
            status, reason = ask(full, method, path, {"Host": name, **JSON})
            assert status == 403, (method, path)
            assert method == "HEAD" or "set BACKEND_URL" in reason
    assert untouched(full)


def test_its_own_names_are_known_in_any_spelling(serve: Callable[..., Server]) -> None:
    server = serve(BACKEND_URL="http://backend.internal:9090", ALLOWED_HOSTS="shortlist_web, other.internal")
    for name in KNOWN:
        assert ask(server, "GET", "/health", {"Host": name})[0] == 200, name
    for address in ("http://[fd00::5]:9090", "https://shortlist.example"):
        named = serve(BACKEND_URL=address)
        assert ask(named, "GET", "/projects", {"Host": address.partition("//")[2]})[0] == 200
        assert ask(named, "GET", "/projects", {"Host": "backend.internal"})[0] == 403


def test_with_a_login_any_name_is_fine_but_no_other_site(serve: Callable[..., Server]) -> None:
    server = serve(BASIC_AUTH_USER="me", BASIC_AUTH_PASS="secret")
    login = {"Authorization": "Basic bWU6c2VjcmV0", "Host": "any.example:8000"}
    assert ask(server, "GET", "/projects", login)[0] == 200
    assert ask(server, "GET", "/projects", {"Host": "any.example"})[0] == 401
    for path in paths(server):
        assert ask(server, "POST", path, {**login, **FOREIGN[0]})[0] == 403


OTHER_TYPES = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", None, "application/jsonp",
               "text/plain; application/json"]  # fmt: skip


@pytest.mark.parametrize("kind", OTHER_TYPES)
def test_json_routes_take_only_json(full: Server, kind: str | None) -> None:
    wipe = f'{{"project": "7.1", "schema": {CONFIG_A!r}, "extra_params": {{"BUDGET_USD": 99}}}}'.encode()
    for path in paths(full):
        for method in ("GET", "POST", "DELETE"):
            if not path.startswith("/projects/"):
                status, reason = ask(full, method, path, {} if kind is None else {"Content-Type": kind}, wipe)
                assert status == 415, (method, path)
                assert method == "HEAD" or "Content-Type: application/json" in reason
    assert untouched(full)


def test_forms_take_only_forms(full: Server) -> None:
    assert ask(full, "POST", "/projects/7/pause", JSON, b"{}")[0] == 415
    assert untouched(full)


def test_what_label_studio_programs_and_people_send_is_taken(full: Server) -> None:
    body = f'{{"project": "7.{CREATED}", "schema": "{"<View/>"}"}}'.encode()
    for kind in ("application/json", "application/json; charset=utf-8", "Application/JSON"):
        assert ask(full, "POST", "/setup", {"Content-Type": kind}, body)[0] == 422  # looked at
    assert ask(full, "POST", "/versions", {})[0] == 200  # no body, nothing stated
    assert ask(full, "POST", "/delete", {}, b"")[0] == 200
    own = {"Origin": full.url, "Sec-Fetch-Site": "same-origin"}
    assert ask(full, "GET", "/projects/7", own)[0] == 200
    assert ask(full, "POST", "/setup", {**own, **JSON}, body)[0] == 422
    assert ask(full, "GET", "/projects/7", {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"})[0] == 200
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert ask(full, "GET", "/projects/7", link)[0] == 200  # from Label Studio's pages
    assert ask(full, "POST", "/projects/7/pause", link)[0] == 403


def test_a_proxy_that_changes_the_host_does_not_make_our_own_pages_foreign(serve: Callable[..., Server]) -> None:
    server = serve(BACKEND_URL="https://shortlist.example", BASIC_AUTH_USER="me", BASIC_AUTH_PASS="secret")
    login = {"Authorization": "Basic bWU6c2VjcmV0", "Host": "127.0.0.1:9090"}
    assert ask(server, "GET", "/projects", {**login, "Origin": "https://shortlist.example"})[0] == 200
    assert ask(server, "GET", "/projects", {**login, "Origin": "https://shortlist.example:8443"})[0] == 403


def test_405_says_what_is_allowed(server: Server) -> None:
    allowed = {}
    for path in paths(server):
        for method in METHODS:
            answer = server.http.request(method, server.url + path, timeout=240, allow_redirects=False)
            if answer.status_code == 405:
                allowed[path] = {one.strip() for one in answer.headers["Allow"].split(",")}
                assert method not in allowed[path]
    assert allowed["/setup"] == allowed["/p/7/predict"] == {"POST", "OPTIONS"}
    assert allowed["/health"] == {"GET", "HEAD", "OPTIONS"}
    assert allowed["/projects/7/pause"] == {"POST", "OPTIONS"}
