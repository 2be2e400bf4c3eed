"""OpenAI and every server that speaks its protocol (vLLM, Ollama, llama.cpp, `transformers serve`), by its client."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from model.teacher.providers.bodies import OPENAI_USAGE, chunks_joined, tokens, written
from model.teacher.providers.dialect import Chosen, Ways
from model.teacher.providers.provider import Reply, Request, SdkProvider, unlimited

if TYPE_CHECKING:
    from openai import OpenAI

THINKING_TOKENS = 1024  # kept free for models that think although they are asked not to
FREE_THINKING_TOKENS = 2048  # where tokens cost nothing but time
EXTRAS = ("chat_template_kwargs", "reasoning", "think")  # what OpenAI's own client does not know
CUT = ("length", "max_tokens", "model_length", "max_length", "model_context_window_exceeded")
FILTERED = ("content_filter", "safety", "prohibited_content", "blocklist", "recitation", "sensitive")


class OpenAIProvider(SdkProvider):
    """Chat completions with structured output.

    Without `base_url` it is OpenAI itself, where thinking is switched off or kept short, and counted as output.
    """

    vendor, key_setting, home = "openai", "OPENAI_API_KEY", "https://api.openai.com/v1"
    address_setting, needs_key = "OPENAI_BASE_URL", False
    client: OpenAI

    def open(self) -> tuple[ModuleType, Callable[..., Any], Ways]:
        """OpenAI's own models may think within the limit of the answer, others where they are seen to."""
        import openai

        official = "//api.openai.com" in self._address
        self.thinking_tokens = THINKING_TOKENS if official else 0
        own_room = THINKING_TOKENS if self._price.output else FREE_THINKING_TOKENS
        self.room_for_thoughts = 0 if official else own_room
        return openai, openai.OpenAI, openai_dialect(official)

    def wishes(self, request: Request) -> dict[str, Any]:
        """Limit, temperature and form."""
        return {"max_tokens": self.limit(request), "temperature": request.temperature, "schema": request.schema}

    def body(self, request: Request, chosen: Chosen | None = None) -> dict[str, Any]:
        """The request as this server understands it."""
        messages = [{"role": "system", "content": request.system}]
        messages += [{"role": turn.role, "content": turn.text} for turn in request.turns]
        said = self._dialect.parameters(self.wishes(request), chosen)
        return {"model": self.model, "messages": messages, **said}

    def post(self, body: dict[str, Any]) -> str:
        """One try, with the SDK's retries."""
        known = {name: value for name, value in body.items() if name not in EXTRAS}
        extra = {name: body[name] for name in EXTRAS if name in body}
        return self.client.chat.completions.with_raw_response.create(
            **known, extra_body=extra or None
        ).http_response.text

    def reply(self, answer: Mapping[str, Any], batch: bool = False, limit: int = 0) -> Reply:
        """Text, price and how it ended. TeacherUnread if it is no chat completion."""
        choices = answer.get("choices") if isinstance(answer, Mapping) else None
        choice = choices[0] if isinstance(choices, list) and choices else None
        message = choice.get("message") if isinstance(choice, Mapping) else None
        if not isinstance(choice, Mapping) or not isinstance(message, Mapping):
            raise self.unread("no chat completion", answer)
        text, thoughts = written(message)
        sent, cached, stored, received, thought = tokens(answer.get("usage"), OPENAI_USAGE)
        refusal = message.get("refusal")
        ended = str(choice.get("finish_reason") or "").lower()
        return Reply(
            refusal if isinstance(refusal, str) and refusal else text,
            self._price.usage(sent, received, cached, stored, batch),
            refused=bool(refusal) or ended == "refusal",
            filtered=ended in FILTERED,
            truncated=ended in CUT or bool(limit and received >= limit),
            thoughts=thoughts or ("(not shown)" if thought else ""),
        )

    def streamed(self, body: str) -> dict[str, Any] | None:
        """Chunks of a chat completion as server-sent events."""
        return chunks_joined(body)

    def hint(self) -> str:
        """An address ends in /v1, as a rule, and never in what is asked there."""
        parts = urlsplit(str(self._address))
        path = parts.path.rstrip("/")
        setting = self.address_setting
        if path.endswith(("/chat/completions", "/completions", "/responses", "/models")):
            short = path.removesuffix("/completions").removesuffix("/chat").removesuffix("/responses")
            return (
                f": {setting} ends too late, leave it at {parts.scheme}://{parts.netloc}{short.removesuffix('/models')}"
            )
        if not any(part[:1] == "v" and part[1:2].isdigit() for part in path.split("/")):
            return f": {setting} lacks /v1, as a rule it is {parts.scheme}://{parts.hostname}{_port(parts.netloc)}{path}/v1"
        return ""


def _port(netloc: str) -> str:
    tail = netloc.rpartition("@")[2].rpartition(":")[2]
    return f":{tail}" if tail.isdigit() else ""


def openai_dialect(official: bool) -> Ways:
    """What OpenAI itself understands, or what servers of its protocol do.

    These are asked not to think in all the ways that some of them know: `reasoning_effort` (Ollama, vLLM, LM Studio,
    Gemini), the chat template's own switch (vLLM, SGLang, llama.cpp), `reasoning` (OpenRouter), `think` (proxies).
    """
    limits: list[dict[str, Any]] = [{"max_completion_tokens": "$"}, {"max_tokens": "$"}]
    forms = [{"type": "json_schema", "json_schema": {"name": "candidates", "strict": True, "schema": value}}
             for value in ((unlimited,) if official else ("$", unlimited))]  # fmt: skip
    efforts = ("none", "minimal", "low") if official else ("none", "low")
    ways: Ways = {
        "schema": [*({"response_format": form} for form in (*forms, {"type": "json_object"})), {}],
        "max_tokens": limits if official else limits[::-1],
        "temperature": [{"temperature": "$"}, {}],
        "reasoning_effort": [*({"reasoning_effort": effort} for effort in efforts), {}],
    }
    if not official:
        ways["template"] = [{"chat_template_kwargs": {"enable_thinking": False, "thinking": False}}, {}]
        ways["reasoning"] = [{"reasoning": {"effort": "none", "enabled": False}}, {}]
        ways["think"] = [{"think": False}, {}]
    return ways
