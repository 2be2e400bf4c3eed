"""Anthropic's Claude through its own client: structured output, prompt caching, no sampling parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from model.teacher.providers.bodies import events, joined, whole
from model.teacher.providers.dialect import Chosen, Ways
from model.teacher.providers.provider import Reply, Request, SdkProvider, Turn, unlimited

if TYPE_CHECKING:
    from anthropic import Anthropic

CACHED = {"cache_control": {"type": "ephemeral"}}
CUT = ("max_tokens", "model_context_window_exceeded")
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
    address_setting = "ANTHROPIC_BASE_URL"
    thinking_tokens = 1024  # kept free for models whose thinking cannot be switched off
    client: Anthropic

    def open(self) -> tuple[ModuleType, Callable[..., Any], Ways]:
        """The same ways for every address."""
        import anthropic

        return anthropic, anthropic.Anthropic, WAYS

    def wishes(self, request: Request) -> dict[str, Any]:
        """The form alone: the rest has the same words for all."""
        return {"schema": request.schema}

    def body(self, request: Request, chosen: Chosen | None = None) -> dict[str, Any]:
        """The request as this model understands it."""
        last = request.stable - 1
        return {
            "model": self.model,
            "max_tokens": self.limit(request),
            "system": [{"type": "text", "text": request.system, **CACHED}],
            "messages": [_message(turn, place == last) for place, turn in enumerate(request.turns)],
            **self._dialect.parameters(self.wishes(request), chosen),
        }

    def post(self, body: dict[str, Any]) -> str:
        """One try, with the SDK's retries."""
        return self.client.messages.with_raw_response.create(**body).http_response.text

    def count(self, request: Request) -> int:
        """The tokens of a request as Anthropic counts them; that costs nothing."""
        body = self.body(request)
        with self.translated():
            asked = {name: body[name] for name in ("model", "system", "messages")}
            return self.client.messages.count_tokens(**asked).input_tokens

    def reply(self, answer: Mapping[str, Any], batch: bool = False, limit: int = 0) -> Reply:
        """Text, price and how it ended. TeacherUnread if it is no message."""
        content = answer.get("content") if isinstance(answer, Mapping) else None
        if not isinstance(answer, Mapping) or content is None:
            raise self.unread("no message", answer)
        text, thoughts = joined(content)
        usage = answer.get("usage")
        used: Mapping[str, Any] = usage if isinstance(usage, Mapping) else {}
        names = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
        plain, received, cached, stored = (whole(used.get(name)) for name in names)
        ended = answer.get("stop_reason")
        return Reply(
            text,
            self._price.usage(plain + cached + stored, received, cached, stored, batch),
            refused=ended == "refusal",
            truncated=ended in CUT or bool(limit and received >= limit),
            thoughts=thoughts,
        )

    def streamed(self, body: str) -> dict[str, Any] | None:
        """Events of a message."""
        answer: dict[str, Any] = {"content": "", "usage": {}}
        known = False
        for event in events(body):
            if event.get("type") == "error":
                return event
            started, delta = event.get("message") or {}, event.get("delta") or {}
            known = known or event.get("type") == "message_start"
            answer["content"] += str(delta.get("text") or "")
            answer["usage"] |= started.get("usage") or event.get("usage") or {}
            answer["stop_reason"] = delta.get("stop_reason") or answer.get("stop_reason")
        return answer if known else None

    def hint(self) -> str:
        """The client adds /v1 by itself."""
        parts = urlsplit(str(self._address))
        if not parts.path.rstrip("/").endswith(("/v1", "/messages")):
            return ""
        return f": {self.address_setting} is given without /v1, as in https://{parts.hostname}"


def retires_on(model: str) -> str:
    """The day on which the SDK says that the model ends, empty if it says nothing."""
    from anthropic.resources.messages.messages import DEPRECATED_MODELS

    return DEPRECATED_MODELS.get(model, "")


def _message(turn: Turn, cached: bool) -> dict[str, Any]:
    if not cached:
        return {"role": turn.role, "content": turn.text}
    return {"role": turn.role, "content": [{"type": "text", "text": turn.text, **CACHED}]}
