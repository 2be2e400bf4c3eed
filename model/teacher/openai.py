"""OpenAI and every server that speaks its protocol (vLLM, Ollama, llama.cpp, `transformers serve`), by its client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from model.errors import TeacherError, TeacherRefused, TeacherUnavailable
from model.teacher.cost import Price
from model.teacher.dialect import Dialect
from model.teacher.provider import RETRIES, TIMEOUT, Reply, Request, SdkProvider, StatusHook, http_client

if TYPE_CHECKING:
    from httpx2 import Client
    from openai import APIStatusError
    from openai.types.chat import ChatCompletion

NO_MONEY = ("insufficient_quota", "billing_hard_limit_reached", "billing_not_active")


class OpenAIProvider(SdkProvider):
    """Chat completions with structured output. What a server does not know is left out from then on (see Dialect).

    Without `base_url` it is OpenAI itself, where thinking is switched off or kept short, and counted as output.
    `heard` is told the status of every HTTP answer, retried ones included.
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
        import openai

        if not api_key and not base_url:
            raise TeacherRefused(
                f"TEACHER=openai:{model} needs OPENAI_API_KEY, or OPENAI_BASE_URL of a server of yours"
            )
        self._thinks = not base_url or "//api.openai.com" in base_url
        super().__init__(f"openai:{model}", api_key, openai, Dialect(openai_dialect(official=self._thinks)))
        self.model, self._price = model, price
        self.client = openai.OpenAI(
            api_key=api_key or "none",
            base_url=base_url or "https://api.openai.com/v1",
            http_client=http_client(self, timeout, heard, client),
            max_retries=max_retries,
            timeout=timeout,
        )

    def most_output(self, max_tokens: int) -> int:
        """OpenAI's own models may think within the same limit."""
        return max_tokens + (THINKING_TOKENS if self._thinks else 0)

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

    def of_status(self, error: APIStatusError) -> TeacherError:
        """Whom an HTTP error concerns: this text, or everybody, now or for good."""
        no_money = (getattr(error, "code", None) or "") in NO_MONEY
        return self.status_error(error, "OPENAI_API_KEY", "TEACHER and OPENAI_BASE_URL", no_money)


THINKING_TOKENS = 1024  # kept free for models that think although they are asked not to


def openai_dialect(official: bool) -> dict[str, list[dict[str, Any]]]:
    """Ways to say each wish, the best first. `$` takes the wish's value; an empty way leaves it out."""
    strict = {"name": "candidates", "schema": "$", "strict": True}
    limits: list[dict[str, Any]] = [{"max_completion_tokens": "$"}, {"max_tokens": "$"}]
    ways: dict[str, list[dict[str, Any]]] = {
        "schema": [
            {"response_format": {"type": "json_schema", "json_schema": strict}},
            {"response_format": {"type": "json_object"}},
            {},
        ],
        "max_tokens": limits if official else limits[::-1],
        "temperature": [{"temperature": "$"}, {}],
    }
    if official:
        efforts = ("none", "minimal", "low")
        ways["reasoning"] = [*({"reasoning_effort": effort} for effort in efforts), {}]
    return ways
