"""What an LLM provider is to the LLM teacher: one request, one reply. A further provider is one more file like this."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol

from model.teacher.base import Usage
from model.teacher.errors import TeacherError, TeacherRefused, TeacherUnavailable, TeacherUnheard
from model.teacher.providers.dialect import Dialect, Ways
from model.teacher.providers.http import StatusHook, http_client, retry_after

if TYPE_CHECKING:
    from httpx2 import Client

    from model.teacher.providers.prices import Price

LIMIT = "maxItems"

TIMEOUT = 120.0  # seconds for one answer
LOGIN = re.compile(r"//[^/@]*@")  # in an address
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


class SdkProvider:
    """What providers have in common whose SDK is of the same make (`openai`, `anthropic`).

    A subclass says whose it is (`vendor`, `key_setting`, `home`; `own_server`: the setting for a server of one's own,
    which may need no key), how its SDK is opened (`open`), how a request is sent (`send`), what thinking may add to an
    answer (`thinking_tokens`), and how an empty account is told (`no_money`). Parameters that a server does not know
    are left out from then on (see Dialect). `heard` is told the status of every HTTP answer, retried ones included, and
    of those that come late.
    """

    vendor = key_setting = home = own_server = ""
    thinking_tokens = 0

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
        if not api_key and not (base_url and self.own_server):
            instead = f", or {self.own_server} of a server of yours" if self.own_server else ""
            raise TeacherRefused(f"TEACHER={self.name} needs {self.key_setting}{instead}")
        self._sdk, sdk_client, ways = self.open()
        self._dialect = Dialect(ways)
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

    def send(self, request: Request) -> Reply:
        """One try, with the SDK's retries."""
        raise NotImplementedError

    def no_money(self, error: Any) -> bool:
        """Whether an error says that the account is empty, whatever its status."""
        raise NotImplementedError

    def said_by(self, error: Any) -> str:
        """The server's own sentence."""
        return str(error.message)

    def most_output(self, max_tokens: int) -> int:
        """Thinking is billed as output and shares the limit."""
        return max_tokens + self.thinking_tokens

    def complete(self, request: Request) -> Reply:
        """One answer. Raises TextRefused for this text alone, TeacherRefused or TeacherUnavailable for all."""
        while True:
            spoken = self._dialect.version
            with self.translated():
                try:
                    return self.send(request)
                except (self._sdk.BadRequestError, self._sdk.UnprocessableEntityError) as error:
                    if not self._dialect.degrade(spoken, self.said_by(error)):
                        raise

    @contextmanager
    def translated(self) -> Iterator[None]:
        """The SDK's errors become ours; none of ours shows a key. TeacherUnheard where the server may have heard us."""
        sdk = self._sdk
        try:
            yield
        except sdk.APIStatusError as error:
            raise self.of_status(error) from None
        except (sdk.APIConnectionError, sdk.APIResponseValidationError, ValueError) as error:
            own = "" if self._address == self.home else " at " + LOGIN.sub("//", str(self._address))
            raise TeacherUnheard(f"{self.name}{own}: {redact(str(error), self._key)}") from None

    def of_status(self, error: Any) -> TeacherError:
        """Whom an HTTP error concerns: this text, or everybody, now or for good."""
        status, said = error.status_code, f"{self.name}: {redact(self.said_by(error), self._key)}"
        if status in (401, 403):
            return TeacherRefused(f"{said}. Check {self.key_setting} and what it may use")
        if status == 402 or self.no_money(error):
            return TeacherRefused(f"{said}. The account has no money left")
        if status == 404:
            where = f"TEACHER and {self.own_server}" if self.own_server else "TEACHER"
            return TeacherRefused(f"{said}. Check the model's name in {where}")
        wait = retry_after(error.response.headers)
        if status in (408, 409) or status >= 500:
            return with_wait(TeacherUnheard(said), wait)
        return with_wait(TeacherUnavailable(said), wait) if status == 429 else TextRefused(said)


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


def unlimited(schema: Any) -> Any:
    """The schema without the limits of its lists, which not every provider knows."""
    if isinstance(schema, dict):
        return {name: unlimited(part) for name, part in schema.items() if name != LIMIT}
    return schema
