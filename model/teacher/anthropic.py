"""Anthropic's Claude through its own client: structured output, prompt caching, no sampling parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from model.errors import TeacherError, TeacherRefused, TeacherUnavailable
from model.teacher.cost import Price
from model.teacher.dialect import Dialect
from model.teacher.provider import RETRIES, TIMEOUT, Reply, Request, SdkProvider, StatusHook, Turn, http_client

if TYPE_CHECKING:
    from anthropic import APIStatusError
    from anthropic.types import Message
    from httpx2 import Client

THINKING_TOKENS = 1024  # kept free for models whose thinking cannot be switched off; it counts as output
CACHED = {"cache_control": {"type": "ephemeral"}}


class AnthropicProvider(SdkProvider):
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
        client: Client | None = None,
        max_retries: int = RETRIES,
        timeout: float = TIMEOUT,
    ) -> None:
        import anthropic

        if not api_key:
            raise TeacherRefused(f"TEACHER=anthropic:{model} needs ANTHROPIC_API_KEY")
        super().__init__(f"anthropic:{model}", api_key, anthropic, Dialect(WAYS))
        self.model, self._price = model, price
        self.client = anthropic.Anthropic(
            api_key=api_key,
            base_url=base_url or "https://api.anthropic.com",
            http_client=http_client(self, timeout, heard, client),
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

    def send(self, request: Request) -> Reply:
        """One try, with the SDK's retries."""
        return self.reply(self.client.messages.create(**self.body(request)))

    def count(self, request: Request) -> int:
        """The tokens of a request as Anthropic counts them; that costs nothing."""
        body = self.body(request)
        with self.translated():
            asked = {name: body[name] for name in ("model", "system", "messages")}
            return self.client.messages.count_tokens(**asked).input_tokens

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

    def said_by(self, error: APIStatusError) -> str:
        """The server's own sentence."""
        return error.api_message or error.message

    def of_status(self, error: APIStatusError) -> TeacherError:
        """Whom an HTTP error concerns: this text, or everybody, now or for good."""
        said = self.said_by(error)
        return self.status_error(error, "ANTHROPIC_API_KEY", "TEACHER", "credit balance" in said or "billing" in said)


WAYS: dict[str, list[dict[str, Any]]] = {
    "thinking": [{"thinking": {"type": "disabled"}}, {"thinking": {"type": "between_tools"}}, {}],
    "effort": [{"output_config": {"effort": "low"}}, {}],
    "schema": [{"output_config": {"format": {"type": "json_schema", "schema": "$"}}}, {}],
}


def retires_on(model: str) -> str:
    """The day on which the SDK says that the model ends, empty if it says nothing."""
    from anthropic.resources.messages.messages import DEPRECATED_MODELS

    return DEPRECATED_MODELS.get(model, "")


def _message(turn: Turn, cached: bool) -> dict[str, Any]:
    if not cached:
        return {"role": turn.role, "content": turn.text}
    return {"role": turn.role, "content": [{"type": "text", "text": turn.text, **CACHED}]}
