"""The HTTP client of a provider: it tells how every answer came, those that the SDK asks for again included."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from model.teacher.providers.connecting import hopeless
from model.teacher.providers.trusted import trusted

if TYPE_CHECKING:
    from httpx2 import Client, Response

MOST_CONNECTIONS = 256  # the largest LLM_CONCURRENCY
LONGEST_WAIT = 60.0  # seconds; a longer Retry-After is not slept through in a thread, but told to the caller
SLOW_SECONDS = (
    30.0  # an answer that takes longer is a complaint: more questions at once would make all of them time out
)
TOO_SLOW = 408  # what is told of it
RESETS = ("x-ratelimit-reset", "ratelimit-reset")  # when an aggregator's limit ends: seconds left, or a time

StatusHook: TypeAlias = Callable[[int, "float | None"], None]  # HTTP status, seconds of Retry-After


def http_client(owner: object, timeout: float, heard: StatusHook | None, given: Client | None) -> Client:
    """The given HTTP client, or one that is closed with its owner; `heard` is told the status of every answer, and
    TOO_SLOW of one that came late or not at all. TeacherRefused where no connection can ever come about."""
    client = given or _own_client(timeout, heard)
    if given is None:
        weakref.finalize(owner, client.close)
    client.event_hooks["response"].append(listener(heard))
    return client


def _own_client(timeout: float, heard: StatusHook | None) -> Client:
    import httpx2

    class Listening(httpx2.Client):
        """Tells of answers that come late, or never; what cannot get better is not tried again by the SDK."""

        def send(self, *arguments: Any, **how: Any) -> Response:
            began = time.monotonic()
            try:
                return super().send(*arguments, **how)
            except Exception as error:
                refused = hopeless(error, str(arguments[0].url) if arguments else "")
                if refused is not None:
                    raise refused from None
                raise
            finally:
                if heard is not None and time.monotonic() - began > min(SLOW_SECONDS, timeout):
                    heard(TOO_SLOW, None)

    limits = httpx2.Limits(max_connections=MOST_CONNECTIONS)
    return Listening(timeout=timeout, follow_redirects=True, limits=limits, verify=trusted(httpx2.create_ssl_context))


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
    """Seconds that a server asks to wait: `retry-after-ms`, `retry-after` (seconds, or a date), or the end of a limit.

    A date is compared with the server's own clock, where it tells it. None if nothing is said that can be read.
    """
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        seconds = _number(headers.get(name))
        if seconds is not None:
            return max(0.0, seconds / unit)
    until = _date(headers.get("retry-after"))
    if until is not None:
        now = _date(headers.get("date")) or datetime.now(UTC)
        return max(0.0, (until - now).total_seconds())
    ends = next((found for name in RESETS if (found := _number(headers.get(name))) is not None), None)
    return None if ends is None else max(0.0, _left(ends))


def _left(ends: float) -> float:
    """Seconds left of a limit that ends after so many seconds, or at a time in epoch seconds or milliseconds."""
    if ends < 1e8:
        return ends
    return (ends / 1000 if ends > 1e11 else ends) - time.time()


def _number(text: str | None) -> float | None:
    try:
        found = float(text or "")
    except ValueError:
        return None
    return found if abs(found) < 1e15 else None  # neither infinite nor not a number


def _date(text: str | None) -> datetime | None:
    """An HTTP date, or one of ISO 8601; a day without a time tells nothing."""
    if ":" not in (text or ""):
        return None
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            found = read(text or "")
        except (ValueError, TypeError, IndexError):
            continue
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    return None
