"""The HTTP client of a provider: it tells how every answer came, those that the SDK asks for again included."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from httpx2 import Client, Response

MOST_CONNECTIONS = 256  # the largest LLM_CONCURRENCY
LONGEST_WAIT = 60.0  # seconds; a longer Retry-After is not slept through in a thread, but told to the caller
SLOW_SECONDS = (
    30.0  # an answer that takes longer is a complaint: more questions at once would make all of them time out
)
TOO_SLOW = 408  # what is told of it

StatusHook: TypeAlias = Callable[[int, "float | None"], None]  # HTTP status, seconds of Retry-After


def http_client(owner: object, timeout: float, heard: StatusHook | None, given: Client | None) -> Client:
    """The given HTTP client, or one that is closed with its owner; `heard` is told the status of every answer, and
    TOO_SLOW of one that came late or not at all."""
    client = given or _own_client(timeout, heard)
    if given is None:
        weakref.finalize(owner, client.close)
    client.event_hooks["response"].append(listener(heard))
    return client


def _own_client(timeout: float, heard: StatusHook | None) -> Client:
    import httpx2

    class Listening(httpx2.Client):
        """Tells of answers that come late, or never."""

        def send(self, *arguments: Any, **how: Any) -> Response:
            began = time.monotonic()
            try:
                return super().send(*arguments, **how)
            finally:
                if heard is not None and time.monotonic() - began > min(SLOW_SECONDS, timeout):
                    heard(TOO_SLOW, None)

    limits = httpx2.Limits(max_connections=MOST_CONNECTIONS)
    return Listening(timeout=timeout, follow_redirects=True, limits=limits)


def listener(heard: StatusHook | None) -> Callable[[Any], None]:
    """A response hook for an HTTP client: reports every status; keeps the SDK from sleeping longer than a minute."""

    def listen(answer: Any) -> None:
        wait = retry_after(answer.headers)
        if heard is not None:
            heard(answer.status_code, wait)
        if answer.status_code >= 400 and wait is not None and wait > LONGEST_WAIT:
            answer.headers["x-should-retry"] = "false"

    return listen


def retry_after(headers: Any) -> float | None:
    """Seconds of a `retry-after-ms` or `retry-after` header; None if there is none or it is a date."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            return max(0.0, float(headers[name]) / unit)
        except (KeyError, ValueError):
            continue
    return None
