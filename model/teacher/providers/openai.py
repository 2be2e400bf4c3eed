"""OpenAI and every server that speaks its protocol (vLLM, Ollama, llama.cpp, `transformers serve`), by its client."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any

from model.teacher.errors import TeacherUnavailable
from model.teacher.providers.dialect import Ways
from model.teacher.providers.provider import Reply, Request, SdkProvider, unlimited

if TYPE_CHECKING:
    from openai import APIStatusError, OpenAI
    from openai.types.chat import ChatCompletion

NO_MONEY = ("insufficient_quota", "billing_hard_limit_reached", "billing_not_active")
THINKING_TOKENS = 1024  # kept free for models that think although they are asked not to


class OpenAIProvider(SdkProvider):
    """Chat completions with structured output.

    Without `base_url` it is OpenAI itself, where thinking is switched off or kept short, and counted as output.
    """

    vendor, key_setting, home = "openai", "OPENAI_API_KEY", "https://api.openai.com/v1"
    own_server = "OPENAI_BASE_URL"
    client: OpenAI

    def open(self) -> tuple[ModuleType, Callable[..., Any], Ways]:
        """OpenAI's own models may think within the limit of the answer."""
        import openai

        official = "//api.openai.com" in self._address
        self.thinking_tokens = THINKING_TOKENS if official else 0
        return openai, openai.OpenAI, openai_dialect(official)

    def body(self, request: Request) -> dict[str, Any]:
        """The request as this server understands it."""
        messages = [{"role": "system", "content": request.system}]
        messages += [{"role": turn.role, "content": turn.text} for turn in request.turns]
        wishes = {
            "max_tokens": self.most_output(request.max_tokens),
            "temperature": request.temperature,
            "schema": request.schema,
        }
        return {"model": self.model, "messages": messages, **self._dialect.parameters(wishes)}

    def send(self, request: Request) -> Reply:
        """One try, with the SDK's retries."""
        return self.reply(self.client.chat.completions.create(**self.body(request)))

    def reply(self, answer: ChatCompletion, batch: bool = False) -> Reply:
        """Text, price and how it ended. TeacherUnavailable if it is no chat completion."""
        choices = getattr(answer, "choices", None)
        if not choices or getattr(choices[0], "message", None) is None:
            raise TeacherUnavailable(f"{self.name}: the server's answer is no chat completion")
        choice, used = choices[0], answer.usage
        details = getattr(used, "prompt_tokens_details", None)
        cached = getattr(details, "cached_tokens", None) or 0
        written = getattr(details, "cache_write_tokens", None) or 0
        sent, written_out = (used.prompt_tokens or 0, used.completion_tokens or 0) if used else (0, 0)
        refusal = getattr(choice.message, "refusal", None)
        return Reply(
            refusal or choice.message.content or "",
            self._price.usage(sent, written_out, cached, written, batch),
            refused=bool(refusal) or choice.finish_reason == "content_filter",
            truncated=choice.finish_reason == "length",
        )

    def no_money(self, error: APIStatusError) -> bool:
        """By the code of the error."""
        return (getattr(error, "code", None) or "") in NO_MONEY


def openai_dialect(official: bool) -> Ways:
    """What OpenAI itself understands, or what servers of its protocol do."""
    limits: list[dict[str, Any]] = [{"max_completion_tokens": "$"}, {"max_tokens": "$"}]
    forms = [{"type": "json_schema", "json_schema": {"name": "candidates", "strict": True, "schema": value}}
             for value in ((unlimited,) if official else ("$", unlimited))]  # fmt: skip
    ways: Ways = {
        "schema": [*({"response_format": form} for form in (*forms, {"type": "json_object"})), {}],
        "max_tokens": limits if official else limits[::-1],
        "temperature": [{"temperature": "$"}, {}],
    }
    if official:
        efforts = ("none", "minimal", "low")
        ways["reasoning"] = [*({"reasoning_effort": effort} for effort in efforts), {}]
    return ways
