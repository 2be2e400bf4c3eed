"""What every request passes through, whichever way it takes: the guard and its body on the way in, headers and counting
on the way out. Below Flask, where that costs microseconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import HTTPException

from backend.web.bodies import leave_body, take_body
from backend.web.guard import Guard

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

NONCE = "shortlist.nonce"  # where a page with charts notes by which word their styles are known to be ours
FAILED = "shortlist.failed"  # where an exception waits that ended the request below Flask, for the app to tell it
ENDPOINT = "shortlist.endpoint"  # where the app notes in the WSGI environment which route it took
HEADERS = [("X-Content-Type-Options", "nosniff"), ("Cache-Control", "no-store")]
PAGE_HEADERS = [
    ("X-Frame-Options", "DENY"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=()"),
    ("Referrer-Policy", "same-origin"),
]
POLICY = (
    "default-src 'none'; style-src 'self'{}; script-src 'self'; connect-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
OURS = {name.lower() for name, _ in (*HEADERS, *PAGE_HEADERS)} | {"content-security-policy"}

Count = Callable[[str | None, str, float], None]  # endpoint, status line, seconds


class Middleware:
    """A WSGI application around another one. What is refused reaches it without a body, for it to say so."""

    def __init__(self, app: WSGIApplication, guard: Guard, count: Count) -> None:
        self._app, self._guard, self._count = app, guard, count

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        started = time.perf_counter()

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
            self._count(environ.get(ENDPOINT), status, time.perf_counter() - started)
            page = ("Content-Type", "application/json") not in headers
            if page:
                headers = [pair for pair in headers if pair[0].lower() not in OURS]
            return start_response(status, headers + HEADERS + (_page_headers(environ) if page else []), exc_info)

        try:
            self._guard.check(environ)
            take_body(environ)
        except HTTPException as error:
            leave_body(environ, b"")
            environ[FAILED] = error
        return self._app(environ, start)


def _page_headers(environ: WSGIEnvironment) -> list[tuple[str, str]]:
    nonce = environ.get(NONCE)
    return [*PAGE_HEADERS, ("Content-Security-Policy", POLICY.format(f" 'nonce-{nonce}'" if nonce else ""))]
