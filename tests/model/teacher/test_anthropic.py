"""The Anthropic provider over real HTTP: form of requests, prompt caching, every kind of fault, secrets."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from model.errors import TeacherRefused, TeacherUnavailable
from model.labels import LabelSpace
from model.teacher.anthropic import AnthropicProvider, retires_on
from model.teacher.base import State, Usage
from model.teacher.choice import TeacherOptions, make_teacher
from model.teacher.composing import Composer
from model.teacher.cost import Price
from model.teacher.llm import LlmTeacher
from model.teacher.prompts import Prompt, Strategy
from model.teacher.provider import Request, Turn
from model.teacher.throttle import Throttle
from tests.model.teacher.embedding import embed_words
from tests.model.teacher.llm_server import AnthropicServer, Play, Script

SPACE = LabelSpace.of(["spam", "ham", "eggs"])
KEY = "sk-ant-0123456789abcdef"
PRICE = Price(1.0, 10.0, 0.1, 1.25, 0.5)


def echo(text: str) -> str:
    return json.dumps({"candidates": text.split("#", maxsplit=1)[0].split()})


def start(http_server: HTTPServer, script: Script | None = None) -> AnthropicServer:
    return AnthropicServer(http_server, echo, script)


def teacher_for(server: AnthropicServer, **options: Any) -> LlmTeacher:
    throttle = Throttle()
    provider = AnthropicProvider("claude-haiku-5-5", KEY, PRICE, server.base_url, throttle.heard, **options)
    return LlmTeacher(provider, Composer(Prompt(SPACE, Strategy.ALL, 2)), PRICE, throttle)


def test_answers_come_in_order_and_the_prefix_is_paid_once(http_server: HTTPServer) -> None:
    server = start(http_server)
    answers = teacher_for(server).shortlist(["spam ham", "eggs", "ham"])
    assert [answer.candidates.labels for answer in answers if answer.candidates] == [
        ("spam", "ham"),
        ("eggs",),
        ("ham",),
    ]
    assert server.problems == []
    assert answers[0].usage == Usage(1, 1040, 0, 10, 40 + 1250 + 100)
    assert [answer.usage for answer in answers[1:]] == [Usage(1, 1040, 1000, 10, 40 + 100 + 100)] * 2


def test_the_request_restricts_the_answer_and_has_no_sampling(http_server: HTTPServer) -> None:
    server = start(http_server)
    teacher_for(server).shortlist(["spam"])
    body = server.requests[0]
    assert body["output_config"]["format"]["schema"]["properties"]["candidates"]["items"]["enum"] == list(SPACE.names)
    assert body["output_config"]["effort"] == "low"
    assert body["thinking"] == {"type": "disabled"}
    assert body["system"][0]["cache_control"] == {"type": "ephemeral"}
    assert not {"temperature", "top_p", "top_k"} & set(body)
    assert server.headers[0]["authorization"] == f"Bearer {KEY}"


def test_fixed_examples_are_in_the_cached_prefix(http_server: HTTPServer) -> None:
    server = start(http_server)
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

    server = start(http_server, script)
    (answer,) = teacher_for(server).shortlist(["spam"])
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

    server = start(http_server, script)
    assert teacher_for(server).shortlist(["spam"])[0].candidates is not None
    assert "output_config" not in server.requests[-1]


@pytest.mark.parametrize("status", [429, 500, 529, 503])
def test_a_passing_fault_is_retried_by_the_sdk(http_server: HTTPServer, status: int) -> None:
    busy = Play(status, "busy", headers={"retry-after": "0.01"})
    server = start(http_server, lambda text, asked: busy if asked < 2 else None)
    (answer,) = teacher_for(server).shortlist(["spam"])
    assert answer.candidates is not None
    assert (len(server.requests), answer.usage.calls) == (3, 1)


def test_a_lasting_overload_is_unavailable_and_keeps_the_rest(http_server: HTTPServer) -> None:
    busy = Play(529, "Overloaded", "overloaded_error", headers={"retry-after": "0.01"})
    server = start(http_server, lambda text, asked: busy if text == "ham" else None)
    with pytest.raises(TeacherUnavailable, match="Overloaded") as caught:
        teacher_for(server).shortlist(["spam", "ham", "eggs"])
    assert set(caught.value.partial) == {0, 2}


@pytest.mark.parametrize(
    ("play", "remedy"),
    [
        (Play(401, f"invalid x-api-key {KEY}"), "ANTHROPIC_API_KEY"),
        (Play(403, "not allowed"), "ANTHROPIC_API_KEY"),
        (Play(404, "model: claude-x"), "TEACHER"),
        (Play(400, "Your credit balance is too low to access the Anthropic API."), "money"),
        (Play(402, "pay"), "money"),
    ],
)
def test_a_wrong_key_or_no_money_stops_at_the_first_call(http_server: HTTPServer, play: Play, remedy: str) -> None:
    server = start(http_server, lambda text, asked: play)
    with pytest.raises(TeacherRefused, match=remedy) as caught:
        teacher_for(server).shortlist([f"spam # {number}" for number in range(100)])
    assert len(server.requests) == 1
    assert KEY not in str(caught.value)


def test_a_refusal_is_an_abstention(http_server: HTTPServer) -> None:
    server = start(http_server, lambda text, asked: Play(text="", finish="refusal"))
    (answer,) = teacher_for(server).shortlist(["spam"])
    assert (answer.state, answer.usage.calls) == (State.ABSTAINED, 1)


def test_a_cut_off_answer_is_asked_again_with_more_room(http_server: HTTPServer) -> None:
    cut = Play(text='{"candidates": ["spa', finish="max_tokens")
    server = start(http_server, lambda text, asked: cut if asked == 0 else None)
    (answer,) = teacher_for(server).shortlist(["spam"])
    assert answer.candidates is not None
    assert server.requests[1]["max_tokens"] > server.requests[0]["max_tokens"]


@pytest.mark.parametrize("raw", [b"", b"{", b"null", b"[]", b"{}", b"<html>", b'{"content": null}', b'"x"'])
def test_a_malformed_http_answer_is_unavailable(http_server: HTTPServer, raw: bytes) -> None:
    server = start(http_server, lambda text, asked: Play(raw=raw))
    with pytest.raises(TeacherUnavailable):
        teacher_for(server).shortlist(["spam"])


def test_a_slow_answer_is_unavailable(http_server: HTTPServer) -> None:
    server = start(http_server, lambda text, asked: Play(seconds=1.0))
    with pytest.raises(TeacherUnavailable):
        teacher_for(server, timeout=0.2, max_retries=0).shortlist(["spam"])


def test_a_missing_key_is_named() -> None:
    with pytest.raises(TeacherRefused, match="ANTHROPIC_API_KEY"):
        make_teacher(TeacherOptions("anthropic:claude-haiku-5-5"), SPACE, embed_words)
    teacher = make_teacher(TeacherOptions("anthropic:claude-haiku-5-5", anthropic_api_key=KEY), SPACE, embed_words)
    assert teacher.name == "anthropic:claude-haiku-5-5"
    assert teacher.upper_bound_microusd(["x"]) > 0


def test_the_sdk_knows_when_a_model_ends() -> None:
    assert "2026" in retires_on("claude-sonnet-4-5")
    assert retires_on("claude-haiku-5-5") == ""


def test_a_long_wait_is_told_and_not_slept(http_server: HTTPServer) -> None:
    server = start(http_server, lambda text, asked: Play(429, "tomorrow", headers={"retry-after": "3600"}))
    with pytest.raises(TeacherUnavailable) as caught:
        teacher_for(server).shortlist(["spam"])
    assert caught.value.retry_seconds == 3600
    assert len(server.requests) == 1


def test_keys_are_never_shown(http_server: HTTPServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    teacher = teacher_for(start(http_server, lambda text, asked: Play(401, f"bad {KEY}")))
    with pytest.raises(TeacherRefused) as caught:
        teacher.shortlist(["spam"])
    assert KEY not in repr(teacher.__dict__) + str(caught.value) + caplog.text
