"""What every answer passes through on its way out: headers and counting, below Flask, where they cost microseconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

NONCE = "shortlist.nonce"  # where a page with charts notes by which word their styles are known to be ours
ENDPOINT = "shortlist.endpoint"  # where the app notes in the WSGI environment which route it took
HEADERS = [("X-Content-Type-Options", "nosniff"), ("Cache-Control", "no-store")]
PAGE_HEADERS = [
    ("X-Frame-Options", "DENY"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=()"),
    ("Referrer-Policy", "no-referrer"),
]
POLICY = (
    "default-src 'none'; style-src 'self'{}; script-src 'self'; connect-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
OURS = {name.lower() for name, _ in (*HEADERS, *PAGE_HEADERS)} | {"content-security-policy"}

Count = Callable[[str | None, str, float], None]  # endpoint, status line, seconds


class Middleware:
    """A WSGI application around another one."""

    def __init__(self, app: WSGIApplication, count: Count) -> None:
        self._app = app
        self._count = count

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        started = time.perf_counter()

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
            self._count(environ.get(ENDPOINT), status, time.perf_counter() - started)
            page = ("Content-Type", "application/json") not in headers
            if page:
                headers = [pair for pair in headers if pair[0].lower() not in OURS]
            return start_response(status, headers + HEADERS + (_page_headers(environ) if page else []), exc_info)

        return self._app(environ, start)


def _page_headers(environ: WSGIEnvironment) -> list[tuple[str, str]]:
    nonce = environ.get(NONCE)
    return [*PAGE_HEADERS, ("Content-Security-Policy", POLICY.format(f" 'nonce-{nonce}'" if nonce else ""))]
