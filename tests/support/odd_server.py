"""An OpenAI-compatible server on loopback that can be odd in the ways of real ones, one switch each."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from tests.support.llm_server import asked_text

NOT_TO_THINK = ("reasoning_effort", "chat_template_kwargs", "reasoning", "think")
STREAM = "text/event-stream"


@dataclass
class Odd:
    """The switches. Everything at rest is a server as it should be."""

    thoughts: str = ""  # what it thinks before each answer, unless it was asked not to
    mark: tuple[str, str] = ("<think>", "</think>")  # around the thoughts in the content; ("", "") none
    beside: str = ""  # name of the field that the thoughts stand in, beside the content
    obeys: str = ""  # the one wish not to think that it understands
    unknown: tuple[str, ...] = ()  # parameters that it refuses with 400
    window: int = 0  # tokens of its context: the beginning of a longer question is cut off
    longest: int = 0  # characters of a text; a longer one is answered 400 about max_tokens
    parts: bool = False  # content as a list of parts
    usage: Any = True  # what stands in `usage`; True: true counts
    body: str | None = None  # in place of every answer
    content_type: str = "application/json"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    stream: bool = False  # as server-sent events


class OddServer:
    """POST …/chat/completions, with or without /v1. A token is a word."""

    def __init__(self, server: HTTPServer, answer: Callable[[str], str], odd: Odd | None = None) -> None:
        self.odd, self._answer = odd or Odd(), answer
        self.requests: list[dict[str, Any]] = []
        self.base_url = server.url_for("/v1")
        for path in ("/v1/chat/completions", "/chat/completions"):
            server.expect_request(path, method="POST").respond_with_handler(self.handle)

    def handle(self, request: Request) -> Response:
        body, odd = request.get_json(), self.odd
        self.requests.append(body)
        text = asked_text(body)
        complaint = next(
            (f"Unrecognized request argument supplied: {name}" for name in odd.unknown if name in body), ""
        )
        if odd.longest and len(text) > odd.longest:
            complaint = "max_tokens must be at least 1, got -317"
        if complaint:
            return Response(json.dumps({"error": {"message": complaint}}), 400, content_type="application/json")
        if odd.body is not None:
            return Response(odd.body, odd.status, headers=odd.headers, content_type=odd.content_type)
        content = self.reply(body, text)
        if odd.stream:
            return Response(streamed(content), content_type=STREAM)
        return Response(json.dumps(content), content_type="application/json")

    def reply(self, body: dict[str, Any], text: str) -> dict[str, Any]:
        """A chat completion, cut off at the limit that this server knows: max_tokens."""
        odd, limit = self.odd, body.get("max_tokens", 10**9)
        thoughts = "" if odd.obeys and _asked_not_to(body, odd.obeys) else odd.thoughts
        marked = f"{odd.mark[0]}{thoughts}{odd.mark[1]}\n" if thoughts and not odd.beside else ""
        whole = f"{marked}{self._answer(text)}".split(" ")
        apart = len(thoughts.split()) if odd.beside else 0
        said = " ".join(whole[: max(0, limit - apart)])
        taken = min(limit, apart + len(whole))
        message: dict[str, Any] = {"role": "assistant", "content": said}
        if odd.beside and thoughts:
            message[odd.beside] = " ".join(thoughts.split()[:limit])
        if odd.parts:
            message["content"] = [{"type": "text", "text": part} for part in (said[:5], said[5:])]
        sent = sum(len(message["content"].split()) for message in body["messages"]) * 4 // 3
        counts = {"prompt_tokens": min(sent, odd.window or sent), "completion_tokens": taken, "total_tokens": 0}
        ended = "length" if apart + len(whole) > limit else "stop"
        found = {"id": "c", "object": "chat.completion", "model": body["model"],
                 "choices": [{"index": 0, "finish_reason": ended, "message": message}]}  # fmt: skip
        if odd.usage != "missing":
            found["usage"] = counts if odd.usage is True else odd.usage
        return found


def _asked_not_to(body: dict[str, Any], wish: str) -> bool:
    said = body.get(wish)
    return said in ("none", False) or (isinstance(said, dict) and False in said.values())


def streamed(content: dict[str, Any]) -> str:
    """The same as events."""
    choice = content["choices"][0]
    said = choice["message"]["content"]
    deltas = [{"delta": {"content": said[at : at + 7]}, "finish_reason": None} for at in range(0, len(said), 7)]
    chunks = [{"choices": [one]} for one in (*deltas, {"delta": {}, "finish_reason": choice["finish_reason"]})]
    rows = [*chunks, {"choices": [], "usage": content.get("usage")}]
    return "".join(f"data: {json.dumps(row)}\n\n" for row in rows) + "data: [DONE]\n\n"
