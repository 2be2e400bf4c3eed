"""OpenAI and every server that speaks its protocol (vLLM, Ollama, llama.cpp, `transformers serve`), by its client."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from model.errors import TeacherError, TeacherRefused, TeacherUnavailable
from model.teacher.cost import Price
from model.teacher.dialect import Dialect
from model.teacher.provider import Reply, Request, StatusHook, TextRefused, listener, redact, retry_after, with_wait

if TYPE_CHECKING:
    import httpx2
    from openai import APIStatusError
    from openai.types.chat import ChatCompletion

TIMEOUT = 120.0  # seconds for one answer
NO_MONEY = ("insufficient_quota", "billing_hard_limit_reached", "billing_not_active")


class OpenAIProvider:
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
        http_client: httpx2.Client | None = None,
        max_retries: int = 2,
        timeout: float = TIMEOUT,
    ) -> None:
        import httpx2
        import openai

        if not api_key and not base_url:
            raise TeacherRefused(
                f"TEACHER=openai:{model} needs OPENAI_API_KEY, or OPENAI_BASE_URL of a server of yours"
            )
        self.name, self.model, self._key, self._price = f"openai:{model}", model, api_key, price
        self._thinks = not base_url or "//api.openai.com" in base_url
        self._dialect = Dialect(openai_dialect(official=self._thinks))
        client = http_client or httpx2.Client(timeout=timeout, follow_redirects=True)
        if http_client is None:
            weakref.finalize(self, client.close)
        client.event_hooks["response"].append(listener(heard))
        self.client = openai.OpenAI(
            api_key=api_key or "none",
            base_url=base_url or "https://api.openai.com/v1",
            http_client=client,
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

    def complete(self, request: Request) -> Reply:
        """One answer. Raises TextRefused for this text alone, TeacherRefused or TeacherUnavailable for all."""
        import openai

        while True:
            spoken = self._dialect.version
            with self.translated():
                try:
                    return self.reply(self.client.chat.completions.create(**self.body(request)))
                except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
                    if not self._dialect.degrade(spoken, error.message):
                        raise

    @contextmanager
    def translated(self) -> Iterator[None]:
        """The SDK's errors become ours; none of ours shows a key."""
        import openai

        try:
            yield
        except openai.APIStatusError as error:
            raise self.of_status(error) from None
        except (openai.APIConnectionError, openai.APIResponseValidationError, ValueError) as error:
            raise TeacherUnavailable(f"{self.name}: {redact(str(error), self._key)}") from None

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
        status, said = error.status_code, f"{self.name}: {redact(error.message, self._key)}"
        code = getattr(error, "code", None) or ""
        if status in (401, 403):
            return TeacherRefused(f"{said}. Check OPENAI_API_KEY and what it may use")
        if status == 402 or code in NO_MONEY:
            return TeacherRefused(f"{said}. The account has no money left")
        if status == 404:
            return TeacherRefused(f"{said}. Check the model's name in TEACHER and OPENAI_BASE_URL")
        if status in (408, 409, 429) or status >= 500:
            return with_wait(TeacherUnavailable(said), retry_after(error.response.headers))
        return TextRefused(said)


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
