"""Anthropic's Claude through its own client: structured output, prompt caching, no sampling parameters."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any

from model.teacher.errors import TeacherUnavailable
from model.teacher.providers.dialect import Ways
from model.teacher.providers.provider import Reply, Request, SdkProvider, Turn, unlimited

if TYPE_CHECKING:
    from anthropic import Anthropic, APIStatusError
    from anthropic.types import Message

CACHED = {"cache_control": {"type": "ephemeral"}}
WAYS: Ways = {
    "thinking": [{"thinking": {"type": "disabled"}}, {"thinking": {"type": "between_tools"}}, {}],
    "effort": [{"output_config": {"effort": "low"}}, {}],
    "schema": [{"output_config": {"format": {"type": "json_schema", "schema": unlimited}}}, {}],
}


class AnthropicProvider(SdkProvider):
    """Messages with a JSON schema. System part and fixed examples are marked for the prompt cache (five minutes).

    Thinking is switched off, or kept short where the model does not allow that. There is no temperature: the API
    refuses one.
    """

    vendor, key_setting, home = "anthropic", "ANTHROPIC_API_KEY", "https://api.anthropic.com"
    thinking_tokens = 1024  # kept free for models whose thinking cannot be switched off
    client: Anthropic

    def open(self) -> tuple[ModuleType, Callable[..., Any], Ways]:
        """The same ways for every address."""
        import anthropic

        return anthropic, anthropic.Anthropic, WAYS

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

    def no_money(self, error: APIStatusError) -> bool:
        """By the words of the error."""
        said = self.said_by(error)
        return "credit balance" in said or "billing" in said


def retires_on(model: str) -> str:
    """The day on which the SDK says that the model ends, empty if it says nothing."""
    from anthropic.resources.messages.messages import DEPRECATED_MODELS

    return DEPRECATED_MODELS.get(model, "")


def _message(turn: Turn, cached: bool) -> dict[str, Any]:
    if not cached:
        return {"role": turn.role, "content": turn.text}
    return {"role": turn.role, "content": [{"type": "text", "text": turn.text, **CACHED}]}
