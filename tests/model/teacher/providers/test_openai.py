"""What OpenAI has of its own: form of requests, content filter, dialects of lesser servers, thinking."""

from __future__ import annotations

import pytest
from pytest_httpserver import HTTPServer

from model.teacher.base import State
from model.teacher.choice import TeacherOptions, make_teacher
from model.teacher.errors import TeacherRefused
from model.teacher.prompting.composing import Composer
from model.teacher.prompting.prompts import Prompt, Strategy
from model.teacher.providers.openai import OpenAIProvider
from model.teacher.providers.prices import price_of
from tests.support.embedding import embed_words
from tests.support.llm_server import Play
from tests.support.vendors import KEY, OPENAI, PRICE, SPACE


def test_tokens_from_the_cache_have_their_own_price(http_server: HTTPServer) -> None:
    usage = OPENAI.asks(OPENAI.start(http_server)).shortlist(["spam ham"])[0].usage
    assert (usage.calls, usage.input_tokens, usage.cached_tokens, usage.output_tokens) == (1, 100, 60, 10)
    assert usage.microusd == 40 + 6 + 100


def test_the_request_restricts_the_answer_to_the_labels(http_server: HTTPServer) -> None:
    server = OPENAI.start(http_server)
    OPENAI.asks(server).shortlist(["spam"])
    body = server.requests[0]
    schema = body["response_format"]["json_schema"]
    assert schema["strict"] is True
    assert schema["schema"]["properties"]["candidates"]["items"]["enum"] == list(SPACE.names)
    assert [message["role"] for message in body["messages"]] == ["system", "user"]
    assert body["max_tokens"] > 40


def test_filtered_content_is_a_refusal_of_the_server(http_server: HTTPServer) -> None:
    server = OPENAI.start(http_server, lambda text, asked: Play(text="", finish="content_filter"))
    (answer,) = OPENAI.asks(server).shortlist(["spam"])
    assert (answer.state, answer.usage.calls) == (State.REFUSED, 1)


def test_a_server_without_structured_output_gets_plain_requests(http_server: HTTPServer) -> None:
    """As `transformers serve` does it: unknown keys are a 422 that names them."""

    def script(text: str, asked: int) -> Play | None:
        body = server.requests[-1]
        return Play(422, "Unexpected keys in the request: {'response_format'}") if "response_format" in body else None

    server = OPENAI.start(http_server, script)
    teacher = OPENAI.asks(server)
    assert all(answer.candidates for answer in teacher.shortlist(["spam", "ham"]))
    before = len(server.requests)
    assert all(answer.candidates for answer in teacher.shortlist(["eggs"]))
    assert len(server.requests) == before + 1


@pytest.mark.parametrize("address", ["", "https://api.openai.com/v1"])
def test_openai_itself_is_asked_not_to_think(http_server: HTTPServer, address: str) -> None:
    server = OPENAI.start(http_server)
    provider = OpenAIProvider("gpt-4o-mini", KEY, PRICE, address)
    body = provider.body(Composer(Prompt(SPACE, Strategy.ALL, 2)).requests(["spam"])[0])
    server.check(body)
    assert server.problems == []
    assert (body["reasoning_effort"], "max_tokens" in body) == ("none", False)
    assert body["max_completion_tokens"] > 1000


def test_the_settings_make_a_teacher(http_server: HTTPServer) -> None:
    server = OPENAI.start(http_server)
    options = TeacherOptions("openai:local", openai_base_url=server.base_url, price="0,0")
    teacher = make_teacher(options, SPACE, embed_words)
    assert (teacher.name, teacher.paid, teacher.fast) == ("openai:local", True, False)
    assert teacher.shortlist(["ham"])[0].usage.microusd == 0
    with pytest.raises(TeacherRefused, match="TEACHER_PRICE"):
        make_teacher(TeacherOptions("openai:local", openai_base_url=server.base_url), SPACE, embed_words)
    assert price_of("openai:gpt-4o").as_of
