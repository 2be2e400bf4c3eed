"""What Anthropic has of its own: form of requests, prompt caching, thinking, the end of models."""

from __future__ import annotations

from pytest_httpserver import HTTPServer

from model.teacher.base import Usage
from model.teacher.providers.anthropic import AnthropicProvider, retires_on
from model.teacher.providers.provider import Request, Turn
from tests.support.llm_server import Play
from tests.support.vendors import CLAUDE, KEY, PRICE, SPACE


def test_the_prefix_is_paid_once(http_server: HTTPServer) -> None:
    answers = CLAUDE.asks(CLAUDE.start(http_server)).shortlist(["spam ham", "eggs", "ham"])
    assert answers[0].usage == Usage(1, 1040, 0, 10, 40 + 1250 + 100)
    assert [answer.usage for answer in answers[1:]] == [Usage(1, 1040, 1000, 10, 40 + 100 + 100)] * 2


def test_the_request_restricts_the_answer_and_has_no_sampling(http_server: HTTPServer) -> None:
    server = CLAUDE.start(http_server)
    CLAUDE.asks(server).shortlist(["spam"])
    body = server.requests[0]
    assert body["output_config"]["format"]["schema"]["properties"]["candidates"]["items"]["enum"] == list(SPACE.names)
    assert body["output_config"]["effort"] == "low"
    assert body["thinking"] == {"type": "disabled"}
    assert body["system"][0]["cache_control"] == {"type": "ephemeral"}
    assert not {"temperature", "top_p", "top_k"} & set(body)


def test_fixed_examples_are_in_the_cached_prefix(http_server: HTTPServer) -> None:
    server = CLAUDE.start(http_server)
    provider = AnthropicProvider("m", KEY, PRICE, server.base_url)
    turns = (Turn("user", "a"), Turn("assistant", "b"), Turn("user", "c"))
    body = provider.body(Request("s", turns, {"type": "object"}, 10, stable=2))
    server.check(body)
    assert server.problems == []
    assert "cache_control" in body["messages"][1]["content"][0]
    assert body["messages"][2]["content"] == "c"


def test_models_that_must_think_are_left_to_think_a_little(http_server: HTTPServer) -> None:
    complaint = '"thinking.type.disabled" is not supported for this model. Use "thinking.type.adaptive" and '
    complaint += '"output_config.effort" to control thinking behavior.'

    def script(text: str, asked: int) -> Play | None:
        return Play(400, complaint) if "thinking" in server.requests[-1] else None

    server = CLAUDE.start(http_server, script)
    (answer,) = CLAUDE.asks(server).shortlist(["spam"])
    assert answer.candidates is not None
    assert "thinking" not in server.requests[-1]
    assert server.requests[-1]["output_config"]["effort"] == "low"
    assert server.requests[-1]["max_tokens"] > 1024


def test_models_without_effort_or_schema_still_answer(http_server: HTTPServer) -> None:
    def script(text: str, asked: int) -> Play | None:
        config = server.requests[-1].get("output_config", {})
        if "effort" in config:
            return Play(400, "This model does not support the effort parameter.")
        return Play(400, "output_config.format: not supported") if "format" in config else None

    server = CLAUDE.start(http_server, script)
    assert CLAUDE.asks(server).shortlist(["spam"])[0].candidates is not None
    assert "output_config" not in server.requests[-1]


def test_the_sdk_knows_when_a_model_ends() -> None:
    assert "2026" in retires_on("claude-sonnet-4-5")
    assert retires_on("claude-haiku-5-5") == ""
