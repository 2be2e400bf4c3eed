"""What an LLM provider is to the LLM teacher: one request, one reply. A further provider is one more file like this."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol

from model.teacher.base import Usage
from model.teacher.errors import TeacherError, TeacherRefused, TeacherUnheard, TeacherUnread, TextRefused
from model.teacher.providers.blame import Asked, error_of
from model.teacher.providers.connecting import cause, hopeless, shown
from model.teacher.providers.dialect import Chosen, Dialect, Ways
from model.teacher.providers.http import StatusHook, http_client, retry_after
from model.teacher.providers.said import Said, is_error, said_in

if TYPE_CHECKING:
    from httpx2 import Client

    from model.teacher.providers.prices import Price

LIMIT = "maxItems"

TIMEOUT = 120.0  # seconds for one answer
RETRIES = 4  # of the SDK, with its own growing waits


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
    thinking: int = 0  # tokens of room in addition, for a model that thinks although it was asked not to


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back. `refused`: the model declined; `filtered`: the server kept its answer back; `truncated`: it was
    cut off at `max_tokens`; `thoughts`: what it thought beside the text, or that it did; `unread`: why the model cannot
    have read the whole question."""

    text: str
    usage: Usage
    refused: bool = False
    truncated: bool = False
    filtered: bool = False
    thoughts: str = ""
    unread: str = ""


class Provider(Protocol):
    """Sends a request and prices the reply.

    `name` is `openai:<model>` or `anthropic:<model>`. `most_output` bounds the tokens that are billed as output for
    `max_tokens` of answer, thinking included. `room_for_thoughts`: tokens that a request may have in addition once the
    model is seen to think; 0 where `most_output` holds them already.
    """

    @property
    def name(self) -> str: ...
    @property
    def room_for_thoughts(self) -> int: ...
    def complete(self, request: Request) -> Reply:
        """Raises TextRefused for this request alone, TeacherRefused or TeacherUnavailable for all."""

    def most_output(self, max_tokens: int) -> int: ...


class SdkProvider:
    """What providers have in common whose SDK is of the same make (`openai`, `anthropic`).

    A subclass says whose it is (`vendor`, `key_setting`, `address_setting`, `home`; `needs_key`: also at another
    address), how its SDK is opened (`open`), what is sent (`wishes`, `body`, `post`), how an answer is read (`reply`),
    and what thinking may add to an answer (`thinking_tokens`). Parameters that a server does not know are left out from
    then on (see Dialect). `heard` is told the status of every HTTP answer, retried ones included, and of those that
    come late.
    """

    vendor = key_setting = address_setting = home = ""
    needs_key = True
    thinking_tokens = room_for_thoughts = 0

    def __init__(
        self,
        model: str,
        api_key: str,
        price: Price,
        base_url: str = "",
        heard: StatusHook | None = None,
        client: Client | None = None,
        max_retries: int = RETRIES,
        timeout: float = TIMEOUT,
    ) -> None:
        self.name, self.model = f"{self.vendor}:{model}", model
        self._key, self._price, self._address = api_key, price, base_url or self.home
        if not api_key and (self.needs_key or not base_url):
            instead = "" if self.needs_key else f", or {self.address_setting} of a server of yours"
            raise TeacherRefused(f"TEACHER={self.name} needs {self.key_setting}{instead}")
        if not api_key.isascii() or not (api_key or "x").isprintable():
            raise TeacherRefused(f"{self.key_setting} holds characters that no key has: write it anew, without quotes")
        self._sdk, sdk_client, ways = self.open()
        self._dialect = Dialect(ways)
        with self.translated():
            self.client = sdk_client(
                api_key=api_key or "none",
                base_url=self._address,
                http_client=http_client(self, timeout, heard, client),
                max_retries=max_retries,
                timeout=timeout,
            )

    def open(self) -> tuple[ModuleType, Callable[..., Any], Ways]:
        """The SDK, its client, and the ways to say each wish."""
        raise NotImplementedError

    def wishes(self, request: Request) -> dict[str, Any]:
        """What a request wants, by wish of the dialect; None: nothing."""
        raise NotImplementedError

    def body(self, request: Request, chosen: Chosen | None = None) -> dict[str, Any]:
        """The request as this model understands it."""
        raise NotImplementedError

    def post(self, body: dict[str, Any]) -> str:
        """One try, with the SDK's retries; the answer's body as it came."""
        raise NotImplementedError

    def reply(self, answer: Mapping[str, Any], batch: bool = False, limit: int = 0) -> Reply:
        """Text, price and how it ended; TeacherUnread if it is no answer. `limit`: tokens that it could have."""
        raise NotImplementedError

    def streamed(self, body: str) -> dict[str, Any] | None:
        """An answer that came as a stream although none was asked for; None if it is none."""
        raise NotImplementedError

    def given_up(self) -> list[str]:
        """The wishes that this server does not know in the best way to say them."""
        return self._dialect.given_up()

    def most_output(self, max_tokens: int) -> int:
        """Thinking is billed as output and shares the limit."""
        return max_tokens + self.thinking_tokens

    def limit(self, request: Request) -> int:
        """Tokens that the answer to a request may have, thoughts included."""
        return self.most_output(request.max_tokens) + request.thinking

    def complete(self, request: Request) -> Reply:
        """One answer. Raises TextRefused for this text alone, TeacherRefused or TeacherUnavailable for all."""
        chosen, refused = self._dialect.chosen(), None
        while True:
            try:
                with self.translated():
                    content = self.post(self.body(request, chosen))
                reply = self.read(content, self.limit(request))
            except TextRefused as error:
                refused = refused or error
                other = self._dialect.other(chosen, error.words) if error.status in (400, 422, 500) else None
                if other is None:
                    raise refused from None
                chosen = other
                continue
            if reply.usage.output_tokens <= self.limit(request):  # else the limit was not heard
                self._dialect.worked(chosen, self.wishes(request))
            return reply

    def read(self, content: str, limit: int = 0) -> Reply:
        """The reply in the body of an answer with status 200. Whatever is wrong with it is a TeacherError."""
        try:
            answer = json.loads(content)
        except (ValueError, RecursionError):
            answer = self.streamed(content)
            if answer is None:
                raise self._no_json(content) from None
        if is_error(answer):
            raise self.of_said(said_in(answer), answer if isinstance(answer, Mapping) else {})
        try:
            return self.reply(answer, limit=limit)
        except TeacherError:
            raise
        except Exception as error:  # a shape that nobody has seen yet
            raise self.unread(f"{type(error).__name__}: {error}", content) from None

    def unread(self, why: str, content: object = "") -> TeacherUnread:
        """An answer that is none; it may have cost something."""
        body = content if isinstance(content, str) else json.dumps(content, default=str)
        begins = f", it begins with {redact(body[:80], self._key)!r}" if body.strip() else ", it is empty"
        told = f"{self._at}: the server's answer is not of the protocol ({redact(why, self._key)[:120]}{begins})"
        return TeacherUnread(told + self.hint(), body)

    @contextmanager
    def translated(self) -> Iterator[None]:
        """The SDK's errors become ours; none of ours shows a key. TeacherUnheard where the server may have heard us."""
        sdk = self._sdk
        try:
            yield
        except TeacherError as error:
            raise type(error)(f"{self.name}: {redact(str(error), self._key)}. {self._settings}") from None
        except sdk.APIStatusError as error:
            response = error.response
            raise self.of_said(said_in(_content(response.text), error.status_code), response.headers) from None
        except Exception as error:
            refused = hopeless(error, self._address)
            if refused is not None:
                raise TeacherRefused(f"{self.name}: {redact(str(refused), self._key)}. {self._settings}") from None
            if not isinstance(error, (sdk.APIConnectionError, sdk.APIResponseValidationError, ValueError)):
                raise
            said = str(error).rstrip(".")
            reason = cause(error) if said == "Connection error" else ""
            told = f"{said} ({reason})" if reason and reason.rstrip(".") != said else said
            raise TeacherUnheard(f"{self._at}: {redact(told, self._key)}") from None

    def of_said(self, said: Said, headers: Mapping[str, Any]) -> TeacherError:
        """Whom an error concerns: this text, or everybody, now or for good."""
        clean = replace(said, words=redact(said.words, self._key))
        asked = Asked(self.name, self._at, self.key_setting, self.address_setting, self.hint())
        return error_of(clean, asked, retry_after(headers))

    def hint(self) -> str:
        """What may be wrong with the address, beginning with a colon; "" where nothing shows."""
        raise NotImplementedError

    @property
    def _at(self) -> str:
        return self.name if self._address == self.home else f"{self.name} at {shown(str(self._address))}"

    @property
    def _settings(self) -> str:
        return f"Check {self.address_setting} and {self.key_setting}"

    def _no_json(self, content: str) -> TeacherError:
        said = said_in(content)
        if said.page:
            return self.of_said(said, {})
        if said.status and len(content) < 500:
            return self.of_said(said, {})
        return self.unread("no JSON", content)


def redact(message: str, *secrets: str) -> str:
    """The message without keys: the given ones, and whatever looks like one; at most 300 characters."""
    for secret in secrets:
        if len(secret) >= 4:
            message = message.replace(secret, "[key]")
    message = re.sub(r"\b(sk|pk|key)[-_][\w*.\-]{6,}", "[key]", message)
    return " ".join(message.split())[:300]


def unlimited(schema: Any) -> Any:
    """The schema without the limits of its lists, which not every provider knows."""
    if isinstance(schema, dict):
        return {name: unlimited(part) for name, part in schema.items() if name != LIMIT}
    return schema


def _content(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
