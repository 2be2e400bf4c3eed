"""Proxies before this server: who really asked, under which address, and below which path people find the pages.

X-Forwarded-For, -Proto, -Host, -Port and -Prefix are believed only if the proxies that add them are in TRUSTED_PROXIES;
from anybody else they are words of the client. Without -Prefix the path of BACKEND_URL is the one below which the pages
are, and proxies may hand it on or take it away.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from backend.addresses import plain_address
from backend.settings import Settings
from backend.web.hosts import USUAL_PORTS, read_host
from backend.web.server import printable_address

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PASSED_ON = "shortlist.passed_on"  # set in the WSGI environment where a proxy says that it passed the request on
SENT_HOST = "shortlist.sent_host"  # the `Host` that arrived, where another one is believed
MARKS = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_VIA", "HTTP_X_REAL_IP", "HTTP_X_FORWARDED_HOST",
         "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_PORT", "HTTP_X_FORWARDED_PREFIX")  # fmt: skip
PREFIX = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+)+", re.ASCII)
OF_PROJECT = re.compile(r"/p/[^/]+$")


class Forwarded:
    """A WSGI application around another one, the first that a request meets. `ours`: how paths of the app begin."""

    def __init__(self, app: WSGIApplication, settings: Settings, ours: Collection[str]) -> None:
        self._app, self._ours = app, frozenset(ours)
        self._trusted = [ipaddress.ip_network(one) for one in settings.TRUSTED_PROXIES.split(",") if one]
        self._prefix = _path(OF_PROJECT.sub("", urlsplit(settings.backend_url).path))

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        prefix = self._prefix
        if any(mark in environ for mark in MARKS):
            environ[PASSED_ON] = True
            if self._trusts(environ.get("REMOTE_ADDR", "")):
                prefix = self._believe(environ) or prefix
        if prefix:
            self._mount(environ, prefix)
        return self._app(environ, start_response)

    def _trusts(self, address: str) -> bool:
        found = plain_address(address)
        return found is not None and any(found in network for network in self._trusted)

    def _believe(self, environ: WSGIEnvironment) -> str:
        """Put what the proxies say in place of what this server sees; the prefix that they name, or "" for none."""
        proxies = 1
        for client in reversed(_listed(environ, "FOR")):
            environ["REMOTE_ADDR"] = str(plain_address(client) or "")
            if not self._trusts(client):
                break
            proxies += 1
        said = {name: _said(environ, name, proxies) for name in ("PROTO", "HOST", "PORT", "PREFIX")}
        scheme = said["PROTO"].lower()
        if scheme in USUAL_PORTS:
            environ["wsgi.url_scheme"] = scheme
        found = read_host(said["HOST"])
        if found is not None:
            environ[SENT_HOST] = environ.get("HTTP_HOST", "")
            environ["HTTP_HOST"] = said["HOST"]
            port = int(said["PORT"]) if said["PORT"].isdecimal() else None
            if found[1] is None and port not in (None, USUAL_PORTS[environ["wsgi.url_scheme"]]):
                environ["HTTP_HOST"] = printable_address(found[0], int(said["PORT"]))
        return _path(said["PREFIX"])

    def _mount(self, environ: WSGIEnvironment, prefix: str) -> None:
        environ["SCRIPT_NAME"] = prefix
        path = environ["PATH_INFO"]
        handed_on = path == prefix or path.startswith(prefix + "/")
        if handed_on and prefix.split("/")[1] not in self._ours:
            environ["PATH_INFO"] = path[len(prefix) :] or "/"


def first_parts(rules: Iterable[Any]) -> set[str]:
    """How the paths of the app's routes begin; `rules` are those of its URL map."""
    return {rule.rule.split("/")[1] for rule in rules} - {""}


def _listed(environ: WSGIEnvironment, name: str) -> list[str]:
    return [one.strip() for one in environ.get(f"HTTP_X_FORWARDED_{name}", "").split(",") if one.strip()]


def _said(environ: WSGIEnvironment, name: str, proxies: int) -> str:
    """What the outermost of the trusted proxies says: each adds its word at the end, or replaces all."""
    values = _listed(environ, name)
    return values[-min(proxies, len(values))] if values else ""


def _path(value: str) -> str:
    """A path without a slash at its end; "" if it is none, or one that a browser would take for an address."""
    path = value.rstrip("/")
    return path if PREFIX.fullmatch(path) else ""
