"""Proxies before the web server: the pages work below a path and behind TLS, and only trusted proxies are believed."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
import requests

from backend.errors import SettingsError
from backend.settings import load_settings
from backend.web.forwarded import PASSED_ON, SENT_HOST, Forwarded
from tests.support.certificates import private_certificate
from tests.support.reverse_proxy import ReverseProxy
from tests.support.web_server import CREATED, Server

Serve = Callable[..., Server]
LOGIN = {"BASIC_AUTH_USER": "shortlist", "BASIC_AUTH_PASS": "secret"}
AUTH = ("shortlist", "secret")
LINK = re.compile(r'(?:href|src|action)="([^"]*)"')
PAGE = {"Accept": "text/html"}
TRUSTED = {"TRUSTED_PROXIES": "127.0.0.1"}


class Visitor:
    """A browser with the login."""

    def __init__(self, certificate: Path | None = None) -> None:
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.auth, self.http.headers["Accept"] = AUTH, "text/html"
        self.http.verify = str(certificate) if certificate else True

    def walk(self, start: str, below: str) -> set[str]:
        """All pages from one on; each of their links must stay below an address and lead somewhere."""
        seen, waiting = set(), [start]
        while waiting:
            address = waiting.pop()
            if address in seen:
                continue
            seen.add(address)
            assert address.startswith(below), address
            answer = self.http.get(address, timeout=240)
            is_form = "/projects/7/" in address  # it is sent by POST
            assert answer.status_code == (405 if is_form else 200), (address, answer.status_code)
            if "text/html" in answer.headers["Content-Type"]:
                waiting += [urljoin(answer.url, found) for found in LINK.findall(answer.text)]
        return seen

    def act(self, page: str, action: str) -> requests.Response:
        """Press a button of the project's page."""
        text = self.http.get(page, timeout=240).text
        token = re.search(r'name="token" value="([^"]+)"', text)
        assert token, text
        (form,) = {urljoin(page, found) for found in LINK.findall(text) if found.endswith(f"/{action}")}
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(page))
        headers = {"Origin": origin, "Sec-Fetch-Site": "same-origin"}
        return self.http.post(form, {"token": token[1]}, headers=headers, allow_redirects=False, timeout=240)


@pytest.mark.parametrize(
    ("prefix", "strips"),  # below a path of our own it cannot be told whether the proxy took it away: it must
    [("/shortlist", True), ("/shortlist", False), ("/team/a-b_c.d", False), ("/projects", True), ("", True)],
)
def test_all_links_work_below_a_path(serve: Serve, prefix: str, strips: bool) -> None:
    with ReverseProxy(prefix=prefix, strips=strips) as proxy:
        server = serve(**LOGIN, **TRUSTED)
        proxy.behind = server.url
        server.setup(auth=AUTH)
        visitor = Visitor()
        seen = visitor.walk(f"{proxy.url}/", f"{proxy.url}/")
        assert {f"{proxy.url}/projects", f"{proxy.url}/projects/7"} <= seen
        assert any("/static/style.css" in address for address in seen)
        done = visitor.act(f"{proxy.url}/projects/7", "pause")
        assert done.status_code == 303
        assert urljoin(proxy.url, done.headers["Location"]).startswith(f"{proxy.url}/projects/7?done=")
        assert server.project().paused
        missing = visitor.http.get(f"{proxy.url}/projects/7/nothing/at/all", timeout=240)
        assert missing.status_code == 404
        assert f'href="{prefix}/projects/7"' in missing.text


@pytest.mark.parametrize("strips", [True, False])
def test_the_path_of_the_backends_address_is_enough(serve: Serve, strips: bool) -> None:
    """A proxy that adds nothing, trusted or not: the pages open below the path, and directly."""
    with ReverseProxy(prefix="/shortlist", strips=strips, says={}) as proxy:
        server = serve(**LOGIN, BACKEND_URL=f"{proxy.url}/")
        proxy.behind = server.url
        server.setup(auth=AUTH)
        assert Visitor().walk(f"{proxy.url}/projects", f"{proxy.url}/")
        assert Visitor().walk(f"{server.url}/projects", f"{server.url}/")
        for base in (proxy.url, server.url, f"{server.url}/shortlist"):
            assert requests.get(f"{base}/health", timeout=240).json() == {"status": "UP"}


def test_an_address_of_one_project_is_no_path_of_pages(serve: Serve) -> None:
    server = serve(BACKEND_URL="http://127.0.0.1:9090/p/7")
    assert 'href="/projects"' in server.get("/projects/9", headers=PAGE).text


def test_behind_tls_the_cookie_is_secure_and_forms_work(serve: Serve, tmp_path: Path) -> None:
    tls = private_certificate(tmp_path)
    with ReverseProxy(prefix="/shortlist", tls=tls) as proxy:
        server = serve(**LOGIN, **TRUSTED)
        proxy.behind = server.url
        server.setup(auth=AUTH)
        visitor = Visitor(tls[0])
        visitor.walk(f"{proxy.url}/projects", f"{proxy.url}/")
        assert visitor.act(f"{proxy.url}/projects/7", "pause").status_code == 303
        assert [cookie.secure for cookie in visitor.http.cookies] == [True]


FORGED = {"X-Forwarded-Prefix": "/evil", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https",
          "X-Forwarded-For": "127.0.0.1", "X-Forwarded-Port": "444"}  # fmt: skip


@pytest.mark.parametrize("trusted", ["", "10.0.0.0/8", "127.0.0.2", "::1"])
def test_nobody_else_is_believed(serve: Serve, trusted: str) -> None:
    server = serve(TRUSTED_PROXIES=trusted)
    server.setup()
    answer = server.get("/projects/7", headers={**PAGE, **FORGED})
    assert answer.status_code == 200
    assert "evil" not in answer.text
    assert 'href="/projects"' in answer.text
    assert "secure" not in answer.headers.get("Set-Cookie", "").lower()


@pytest.mark.parametrize("trusted", ["", "127.0.0.1"])
def test_who_comes_through_a_proxy_of_this_machine_acts_only_with_a_login(serve: Serve, trusted: str) -> None:
    server = serve(TRUSTED_PROXIES=trusted)
    server.setup()
    assert "<form" in server.get("/projects/7", headers=PAGE).text
    for name in ("X-Forwarded-For", "Forwarded", "Via", "X-Real-IP", "X-Forwarded-Host", "X-Forwarded-Proto"):
        assert "<form" not in server.get("/projects/7", headers={**PAGE, name: "localhost"}).text, name


def test_a_foreign_name_is_not_made_ours_by_a_claim(serve: Serve) -> None:
    """A page whose name was made to point here can set X-Forwarded-Host, but not Host."""
    server = serve(**TRUSTED, BACKEND_URL="https://shortlist.internal")
    claim = {"X-Forwarded-Host": "shortlist.internal"}
    assert server.get("/projects", headers={"Host": "evil.example", **claim}).status_code == 403
    assert server.get("/projects", headers={"X-Forwarded-Host": "evil.example"}).status_code == 403
    assert server.get("/projects", headers=claim).status_code == 200


def believed(settings: dict[str, str], environ: dict[str, str]) -> dict[str, Any]:
    """What the app behind sees."""
    seen: dict[str, Any] = {}

    def app(inner: dict[str, Any], start: object) -> list[bytes]:
        seen.update(inner)
        return []

    given = {"REMOTE_ADDR": "10.0.0.1", "HTTP_HOST": "web:9090", "PATH_INFO": "/projects", "wsgi.url_scheme": "http"}
    Forwarded(app, load_settings(_env_file=None, **settings), {"projects"})({**given, **environ}, lambda *_: None)  # type: ignore[arg-type]
    return seen


@pytest.mark.parametrize(
    ("listed", "client"),
    [
        ("203.0.113.5", "203.0.113.5"),
        ("127.0.0.1, 203.0.113.5", "203.0.113.5"),  # the client claims to be somebody else
        ("127.0.0.1, 203.0.113.5, 10.0.0.2", "203.0.113.5"),  # two proxies of ours
        ("203.0.113.5:4711", "203.0.113.5"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("127.0.0.1, unknown", ""),
        ("10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("::ffff:203.0.113.5", "203.0.113.5"),
    ],
)
def test_the_client_is_who_the_outermost_trusted_proxy_saw(listed: str, client: str) -> None:
    seen = believed({"TRUSTED_PROXIES": "10.0.0.0/8"}, {"HTTP_X_FORWARDED_FOR": listed})
    assert seen["REMOTE_ADDR"] == client


@pytest.mark.parametrize(
    ("headers", "scheme", "host"),
    [
        ({"PROTO": "https", "HOST": "a.example"}, "https", "a.example"),
        ({"PROTO": "https", "HOST": "a.example", "PORT": "443"}, "https", "a.example"),
        ({"PROTO": "https", "HOST": "a.example", "PORT": "8443"}, "https", "a.example:8443"),
        ({"PROTO": "gopher", "HOST": "a b"}, "http", "web:9090"),
        ({"PROTO": "http, https", "HOST": "evil.example, a.example"}, "https", "a.example"),  # the last word is ours
        ({"HOST": "[2001:db8::1]", "PORT": "81"}, "http", "[2001:db8::1]:81"),
        ({"FOR": "203.0.113.5, 10.0.0.2", "PROTO": "gopher, https, http", "HOST": "a.example"}, "https", "a.example"),
    ],
)
def test_scheme_and_host_are_those_of_the_outermost_trusted_proxy(
    headers: dict[str, str], scheme: str, host: str
) -> None:
    sent = {f"HTTP_X_FORWARDED_{name}": value for name, value in headers.items()}
    seen = believed({"TRUSTED_PROXIES": "10.0.0.0/8"}, sent)
    assert (seen["wsgi.url_scheme"], seen["HTTP_HOST"], seen[PASSED_ON]) == (scheme, host, True)
    assert seen.get(SENT_HOST, "web:9090") == "web:9090"


@pytest.mark.parametrize(
    "prefix",
    ["//evil.example", "/\\evil.example", "evil", "/..", "/a/../b", "/a b", "/a\r\nb", "javascript:1", "/", ""],
)
def test_a_prefix_that_is_no_plain_path_is_not_taken(prefix: str) -> None:
    seen = believed({"TRUSTED_PROXIES": "10.0.0.1"}, {"HTTP_X_FORWARDED_PREFIX": prefix})
    assert "SCRIPT_NAME" not in seen


@pytest.mark.parametrize("value", ["proxy.internal", "10.0.0.0/40", "*", "10.0.0.1 10.0.0.2", "1.2.3"])
def test_a_proxy_is_named_by_its_address(value: str) -> None:
    with pytest.raises(SettingsError, match=r"TRUSTED_PROXIES: holds .*10\.0\.0\.0/8"):
        load_settings(_env_file=None, TRUSTED_PROXIES=value)


def test_networks_may_be_given_as_people_write_them() -> None:
    given = " 10.1.2.3/8 , ::1,,192.168.0.0/16 "
    assert load_settings(_env_file=None, TRUSTED_PROXIES=given).TRUSTED_PROXIES == "10.0.0.0/8,::1/128,192.168.0.0/16"


def test_a_project_keeps_its_number_below_a_path(serve: Serve) -> None:
    """Label Studio calls through the proxy, too."""
    with ReverseProxy(prefix="/shortlist", strips=False) as proxy:
        server = serve(BACKEND_URL=proxy.url)
        proxy.behind = server.url
        body = {"project": f"7.{CREATED}", "schema": "<View/>"}
        assert requests.post(f"{proxy.url}/setup", json=body, timeout=240).status_code == 422
        assert requests.post(f"{proxy.url}/p/7/setup", json=body, timeout=240).status_code == 422
