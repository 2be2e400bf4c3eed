"""A server on loopback that speaks a vendor's protocol, checks requests against the SDK's types, plays faults."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

TEXT = re.compile(r"<text>\n(.*)\n</text>", re.DOTALL)


@dataclass
class Play:
    """What the server does instead of answering well: a status with headers, a raw body, another text, a delay."""

    status: int = 200
    error: str = ""
    code: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None  # the whole HTTP body
    text: str | None = None  # what the model says
    finish: str = ""  # finish_reason or stop_reason
    seconds: float = 0.0


Script = Callable[[str, int], "Play | None"]  # (text asked about, how often it was asked before) -> what to play


class LlmServer:
    """Shared by both protocols: counts, remembers requests, and asks the script what to play."""

    path = ""
    good = ""

    def __init__(self, server: HTTPServer, params: Any, answer: Callable[[str], str], script: Script | None) -> None:
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.problems: list[str] = []
        self.most_at_once = self.answered = 0
        self.answer, self.script = answer, script or (lambda text, asked: None)
        self._asked: dict[str, int] = {}
        self._now, self._lock = 0, threading.Lock()
        self._check, self._known = _adapter(params), set(params.__annotations__) | _inherited(params)
        self.base_url = server.url_for("")
        server.expect_request(self.path, method="POST").respond_with_handler(self.handle)

    def handle(self, request: Request) -> Response:
        """One request."""
        body = request.get_json()
        text = asked_text(body)
        with self._lock:
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
            self.requests.append(body)
            self.headers.append({name.lower(): value for name, value in request.headers.items()})
            asked = self._asked[text] = self._asked.get(text, -1) + 1
        try:
            self.check(body)
            play = self.script(text, asked) or Play()
            time.sleep(play.seconds)
            return self.play(body, text, play)
        finally:
            with self._lock:
                self._now -= 1

    def check(self, body: dict[str, Any]) -> None:
        """Note what the SDK's own types do not allow."""
        unknown = set(body) - self._known
        if unknown:
            self.problems.append(f"unknown parameters {sorted(unknown)}")
        try:
            found = self._check.validate_python(body)
            list(found["messages"])
        except ValidationError as error:
            self.problems.append(str(error))

    def play(self, body: dict[str, Any], text: str, play: Play) -> Response:
        """The HTTP answer."""
        if play.raw is not None:
            return Response(play.raw, play.status, headers=play.headers, content_type="application/json")
        if play.status != 200:
            return Response(
                json.dumps(self.error(play)), play.status, headers=play.headers, content_type="application/json"
            )
        said = self.answer(text) if play.text is None else play.text
        with self._lock:
            self.answered += 1
        return Response(json.dumps(self.reply(body, said, play.finish or self.good)), content_type="application/json")

    def error(self, play: Play) -> dict[str, Any]:
        raise NotImplementedError

    def reply(self, body: dict[str, Any], said: str, finish: str) -> dict[str, Any]:
        raise NotImplementedError


class OpenAIServer(LlmServer):
    """POST /v1/chat/completions."""

    path = "/v1/chat/completions"
    good = "stop"

    def __init__(self, server: HTTPServer, answer: Callable[[str], str], script: Script | None = None) -> None:
        from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming

        super().__init__(server, CompletionCreateParamsNonStreaming, answer, script)
        self._known |= {"chat_template_kwargs", "reasoning", "think"}  # vLLM and llama.cpp, OpenRouter, proxies
        self.base_url = server.url_for("/v1")

    def error(self, play: Play) -> dict[str, Any]:
        return {"error": {"message": play.error, "type": "x", "param": None, "code": play.code}}

    def reply(self, body: dict[str, Any], said: str, finish: str) -> dict[str, Any]:
        usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110,
                 "prompt_tokens_details": {"cached_tokens": 60}}  # fmt: skip
        message = {"role": "assistant", "content": said}
        if finish == "refusal":
            message, finish = {"role": "assistant", "content": None, "refusal": said}, "stop"  # type: ignore[dict-item]
        return {"id": "c", "object": "chat.completion", "created": 1, "model": body["model"], "usage": usage,
                "choices": [{"index": 0, "finish_reason": finish, "message": message}]}  # fmt: skip


class AnthropicServer(LlmServer):
    """POST /v1/messages. Keeps a prompt cache of everything marked, as the vendor does."""

    path = "/v1/messages"
    good = "end_turn"

    def __init__(self, server: HTTPServer, answer: Callable[[str], str], script: Script | None = None) -> None:
        from anthropic.types.message_create_params import MessageCreateParamsNonStreaming

        super().__init__(server, MessageCreateParamsNonStreaming, answer, script)
        self._cache: set[str] = set()
        self.counted: list[dict[str, Any]] = []
        self.base_url = server.url_for("").rstrip("/")
        server.expect_request("/v1/messages/count_tokens", method="POST").respond_with_handler(self._count)

    def _count(self, request: Request) -> Response:
        """Tokens as this vendor counts them: one per character of everything said."""
        from anthropic.types import MessageCountTokensParams

        body = request.get_json()
        self.counted.append(body)
        unknown = set(body) - set(MessageCountTokensParams.__annotations__)
        if unknown:
            self.problems.append(f"unknown parameters {sorted(unknown)}")
        play = self.script("", len(self.counted))
        if play is not None:
            return Response(json.dumps(self.error(play)), play.status, content_type="application/json")
        said = [block["text"] for block in body["system"]] + [str(turn["content"]) for turn in body["messages"]]
        return Response(json.dumps({"input_tokens": sum(map(len, said))}), content_type="application/json")

    def error(self, play: Play) -> dict[str, Any]:
        return {"type": "error", "error": {"type": play.code or "api_error", "message": play.error}}

    def reply(self, body: dict[str, Any], said: str, finish: str) -> dict[str, Any]:
        prefix = json.dumps([block for block in body["system"] if "cache_control" in block])
        with self._lock:
            known = prefix in self._cache
            self._cache.add(prefix)
        usage = {"input_tokens": 40, "output_tokens": 10,
                 "cache_read_input_tokens": 1000 if known else 0,
                 "cache_creation_input_tokens": 0 if known else 1000}  # fmt: skip
        thought = {"type": "thinking", "thinking": "", "signature": "s"}
        content = [thought, {"type": "text", "text": said}]
        return {"id": "m", "type": "message", "role": "assistant", "model": body["model"], "usage": usage,
                "content": content, "stop_reason": finish, "stop_sequence": None}  # fmt: skip


def asked_text(body: dict[str, Any]) -> str:
    """The text that a request is about: the last one between the marks."""
    found = ""
    for message in body.get("messages", []):
        content = message["content"]
        parts = [content] if isinstance(content, str) else [part["text"] for part in content]
        for part in parts:
            match = TEXT.search(part)
            found = match.group(1) if match else found
    return found


@cache
def _adapter(params: Any) -> TypeAdapter[Any]:
    """What validates requests; to build one takes a twentieth of a second."""
    return TypeAdapter(params)


def _inherited(params: Any) -> set[str]:
    return {name for base in getattr(params, "__orig_bases__", ()) for name in getattr(base, "__annotations__", {})}
