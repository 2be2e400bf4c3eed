"""Anthropic's Claude through its own client: structured output, prompt caching, no sampling parameters."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from model.errors import TeacherError, TeacherRefused, TeacherUnavailable
from model.teacher.cost import Price
from model.teacher.dialect import Dialect
from model.teacher.provider import (
    Reply,
    Request,
    StatusHook,
    TextRefused,
    Turn,
    listener,
    redact,
    retry_after,
    with_wait,
)

if TYPE_CHECKING:
    import httpx2
    from anthropic import APIStatusError
    from anthropic.types import Message

TIMEOUT = 120.0  # seconds for one answer
THINKING_TOKENS = 1024  # kept free for models whose thinking cannot be switched off; it counts as output
CACHED = {"cache_control": {"type": "ephemeral"}}


class AnthropicProvider:
    """Messages with a JSON schema. System part and fixed examples are marked for the prompt cache (five minutes).

    Thinking is switched off, or kept short where the model does not allow that. There is no temperature: the API
    refuses one. `heard` is told the status of every HTTP answer, retried ones included.
    """

    def __init__(
        self,
        model: str,
        api_key: str,
        price: Price,
        base_url: str = "",
        heard: StatusHook | None = None,
        http_client: httpx2.Client | None = None,
        max_retries: int = 2,
        timeout: float = TIMEOUT,
    ) -> None:
        import anthropic
        import httpx2

        if not api_key:
            raise TeacherRefused(f"TEACHER=anthropic:{model} needs ANTHROPIC_API_KEY")
        self.name, self.model, self._key, self._price = f"anthropic:{model}", model, api_key, price
        self._dialect = Dialect(WAYS)
        client = http_client or httpx2.Client(timeout=timeout, follow_redirects=True)
        if http_client is None:
            weakref.finalize(self, client.close)
        client.event_hooks["response"].append(listener(heard))
        self.client = anthropic.Anthropic(
            api_key=api_key,
            base_url=base_url or "https://api.anthropic.com",
            http_client=client,
            max_retries=max_retries,
            timeout=timeout,
        )

    def most_output(self, max_tokens: int) -> int:
        """Thinking is billed as output and shares the limit."""
        return max_tokens + THINKING_TOKENS

    def body(self, request: Request) -> dict[str, Any]:
        """The request as this model understands it."""
        last = request.stable - 1
        return {
            "model": self.model,
            "max_tokens": self.most_output(request.max_tokens),
            "system": [{"type": "text", "text": request.system, **CACHED}],
            "messages": [_message(turn, place == last) for place, turn in enumerate(request.turns)],
            **self._dialect.parameters({"schema": request.schema}),
        }

    def complete(self, request: Request) -> Reply:
        """One answer. Raises TextRefused for this text alone, TeacherRefused or TeacherUnavailable for all."""
        import anthropic

        while True:
            spoken = self._dialect.version
            with self.translated():
                try:
                    return self.reply(self.client.messages.create(**self.body(request)))
                except (anthropic.BadRequestError, anthropic.UnprocessableEntityError) as error:
                    if not self._dialect.degrade(spoken, said_by(error)):
                        raise

    @contextmanager
    def translated(self) -> Iterator[None]:
        """The SDK's errors become ours; none of ours shows a key."""
        import anthropic

        try:
            yield
        except anthropic.APIStatusError as error:
            raise self.of_status(error) from None
        except (anthropic.APIConnectionError, anthropic.APIResponseValidationError, ValueError) as error:
            raise TeacherUnavailable(f"{self.name}: {redact(str(error), self._key)}") from None

    def reply(self, answer: Message, batch: bool = False) -> Reply:
        """Text, price and how it ended. TeacherUnavailable if it is no message."""
        blocks, used = getattr(answer, "content", None), getattr(answer, "usage", None)
        if blocks is None or used is None:
            raise TeacherUnavailable(f"{self.name}: the server's answer is no message")
        read, written = used.cache_read_input_tokens or 0, used.cache_creation_input_tokens or 0
        return Reply(
            "".join(block.text for block in blocks if block.type == "text"),
            self._price.usage((used.input_tokens or 0) + read + written, used.output_tokens or 0, read, written, batch),
            refused=answer.stop_reason == "refusal",
            truncated=answer.stop_reason in ("max_tokens", "model_context_window_exceeded"),
        )

    def of_status(self, error: APIStatusError) -> TeacherError:
        """Whom an HTTP error concerns: this text, or everybody, now or for good."""
        status, said = error.status_code, f"{self.name}: {redact(said_by(error), self._key)}"
        if status in (401, 403):
            return TeacherRefused(f"{said}. Check ANTHROPIC_API_KEY and what it may use")
        if status == 402 or "credit balance" in said or "billing" in said:
            return TeacherRefused(f"{said}. The account has no money left")
        if status == 404:
            return TeacherRefused(f"{said}. Check the model's name in TEACHER")
        if status in (408, 409, 429) or status >= 500:
            return with_wait(TeacherUnavailable(said), retry_after(error.response.headers))
        return TextRefused(said)


WAYS: dict[str, list[dict[str, Any]]] = {
    "thinking": [{"thinking": {"type": "disabled"}}, {"thinking": {"type": "between_tools"}}, {}],
    "effort": [{"output_config": {"effort": "low"}}, {}],
    "schema": [{"output_config": {"format": {"type": "json_schema", "schema": "$"}}}, {}],
}


def said_by(error: APIStatusError) -> str:
    """The server's own sentence."""
    return error.api_message or error.message


def retires_on(model: str) -> str:
    """The day on which the SDK says that the model ends, empty if it says nothing."""
    from anthropic.resources.messages.messages import DEPRECATED_MODELS

    return DEPRECATED_MODELS.get(model, "")


def _message(turn: Turn, cached: bool) -> dict[str, Any]:
    if not cached:
        return {"role": turn.role, "content": turn.text}
    return {"role": turn.role, "content": [{"type": "text", "text": turn.text, **CACHED}]}
