"""What an LLM provider is to the LLM teacher: one request, one reply. A further provider is one more file like this."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from model.errors import TeacherError, TeacherRefused
from model.teacher.base import Usage


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of the conversation: an example's text or answer, the text itself, or a reminder."""

    role: str  # "user" or "assistant"
    text: str


@dataclass(frozen=True, slots=True)
class Request:
    """One question. The stable part comes first: system, then `stable` turns, which a provider may cache."""

    system: str
    turns: tuple[Turn, ...]
    schema: dict[str, Any]
    max_tokens: int  # of the answer, thinking not counted
    stable: int = 0  # how many turns at the beginning are the same for many texts
    temperature: float | None = None  # None: the provider's own; ignored where there is none


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back. `refused`: the model declined; `truncated`: it was cut off at `max_tokens`."""

    text: str
    usage: Usage
    refused: bool = False
    truncated: bool = False


class TextRefused(TeacherRefused):
    """The server refuses this one request (too long, content policy, malformed): others may go on."""


class Provider(Protocol):
    """Sends a request and prices the reply.

    `name` is `openai:<model>` or `anthropic:<model>`. `most_output` bounds the tokens that are billed as output for
    `max_tokens` of answer, thinking included.
    """

    @property
    def name(self) -> str: ...
    def complete(self, request: Request) -> Reply:
        """Raises TextRefused for this request alone, TeacherRefused or TeacherUnavailable for all."""

    def most_output(self, max_tokens: int) -> int: ...


StatusHook = Callable[[int, "float | None"], None]  # HTTP status, seconds of Retry-After
LONGEST_WAIT = 60.0  # seconds; a longer Retry-After is not slept through in a thread, but told to the caller


def listener(heard: StatusHook | None) -> Callable[[Any], None]:
    """A response hook for an HTTP client: reports every status; keeps the SDK from sleeping longer than a minute."""

    def listen(answer: Any) -> None:
        wait = retry_after(answer.headers)
        if heard is not None:
            heard(answer.status_code, wait)
        if answer.status_code >= 400 and wait is not None and wait > LONGEST_WAIT:
            answer.headers["x-should-retry"] = "false"

    return listen


def redact(message: str, *secrets: str) -> str:
    """The message without keys: the given ones, and whatever looks like one; at most 300 characters."""
    for secret in secrets:
        if len(secret) >= 4:
            message = message.replace(secret, "[key]")
    message = re.sub(r"\b(sk|pk|key)[-_][\w*.\-]{6,}", "[key]", message)
    return " ".join(message.split())[:300]


def with_wait(error: TeacherError, seconds: float | None) -> TeacherError:
    """The error, with the time that the server asked to wait."""
    error.retry_seconds = seconds
    return error


def retry_after(headers: Any) -> float | None:
    """Seconds of a `retry-after-ms` or `retry-after` header; None if there is none or it is a date."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            return max(0.0, float(headers[name]) / unit)
        except (KeyError, ValueError):
            continue
    return None
