"""The OpenAI provider over real HTTP: form of requests, every kind of fault, secrets, dialects of lesser servers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from model.errors import TeacherError, TeacherRefused, TeacherUnavailable
from model.labels import LabelSpace
from model.teacher.base import State
from model.teacher.choice import TeacherOptions, make_teacher
from model.teacher.composing import Composer
from model.teacher.cost import Price, price_of
from model.teacher.llm import LlmTeacher
from model.teacher.openai import OpenAIProvider
from model.teacher.prompts import Prompt, Strategy
from model.teacher.provider import redact
from model.teacher.throttle import Throttle
from tests.model.teacher.embedding import embed_words
from tests.model.teacher.llm_server import OpenAIServer, Play, Script

SPACE = LabelSpace.of(["spam", "ham", "eggs"])
KEY = "sk-test-0123456789abcdef"
PRICE = Price(1.0, 10.0, 0.1, 1.25)


def echo(text: str) -> str:
    """The text names its labels, separated by spaces."""
    return json.dumps({"candidates": text.split("#", maxsplit=1)[0].split()})


def teacher_for(server: OpenAIServer, strategy: Strategy = Strategy.ALL, **options: Any) -> LlmTeacher:
    throttle = Throttle()
    provider = OpenAIProvider("m", KEY, PRICE, server.base_url, throttle.heard, **options)
    return LlmTeacher(provider, Composer(Prompt(SPACE, strategy, 2)), PRICE, throttle)


def start(http_server: HTTPServer, script: Script | None = None) -> OpenAIServer:
    return OpenAIServer(http_server, echo, script)


def only(*plays: Play) -> Script:
    """These first, in this order, for every text; then good answers."""
    return lambda text, asked: plays[asked] if asked < len(plays) else None


def test_answers_come_in_order_with_their_price(http_server: HTTPServer) -> None:
    server = start(http_server)
    texts = ["spam ham", "eggs", "ham"]
    answers = teacher_for(server).shortlist(texts)
    assert [answer.candidates.labels for answer in answers if answer.candidates] == [
        ("spam", "ham"),
        ("eggs",),
        ("ham",),
    ]
    usage = answers[0].usage
    assert (usage.calls, usage.input_tokens, usage.cached_tokens, usage.output_tokens) == (1, 100, 60, 10)
    assert usage.microusd == 40 + 6 + 100
    assert server.problems == []


def test_the_request_restricts_the_answer_to_the_labels(http_server: HTTPServer) -> None:
    server = start(http_server)
    teacher_for(server).shortlist(["spam"])
    body = server.requests[0]
    schema = body["response_format"]["json_schema"]
    assert schema["strict"] is True
    assert schema["schema"]["properties"]["candidates"]["items"]["enum"] == list(SPACE.names)
    assert [message["role"] for message in body["messages"]] == ["system", "user"]
    assert body["max_tokens"] > 40
    assert server.headers[0]["authorization"] == f"Bearer {KEY}"


def test_equal_texts_are_paid_once(http_server: HTTPServer) -> None:
    server = start(http_server)
    answers = teacher_for(server).shortlist(["spam", "ham", "spam"])
    assert len(server.requests) == 2
    assert answers[0].candidates == answers[2].candidates
    assert [answer.usage.calls for answer in answers] == [1, 1, 0]


def test_no_texts_no_calls(http_server: HTTPServer) -> None:
    server = start(http_server)
    assert teacher_for(server).shortlist([]) == []
    assert server.requests == []


@pytest.mark.parametrize("status", [429, 500, 503, 408, 409])
def test_a_passing_fault_is_retried_by_the_sdk(http_server: HTTPServer, status: int) -> None:
    server = start(http_server, only(Play(status, "later", headers={"retry-after-ms": "10"})))
    (answer,) = teacher_for(server).shortlist(["spam"])
    assert answer.candidates is not None
    assert answer.usage.calls == 1
    assert len(server.requests) == 2


def test_a_lasting_fault_is_unavailable_and_keeps_the_rest(http_server: HTTPServer) -> None:
    busy = Play(503, "overloaded", headers={"retry-after": "0.01"})
    server = start(http_server, lambda text, asked: busy if text == "ham" else None)
    with pytest.raises(TeacherUnavailable, match="overloaded") as caught:
        teacher_for(server).shortlist(["spam", "ham", "eggs"])
    assert set(caught.value.partial) == {0, 2}
    assert caught.value.spent is not None
    assert caught.value.spent.calls == 2
    assert caught.value.retry_seconds == 0.01


def test_after_several_failures_in_a_row_nothing_more_is_sent(http_server: HTTPServer) -> None:
    server = start(http_server, lambda text, asked: Play(500, "down"))
    with pytest.raises(TeacherUnavailable):
        teacher_for(server, max_retries=0).shortlist([f"spam # {number}" for number in range(200)])
    assert len(server.requests) < 50


@pytest.mark.parametrize(
    ("play", "remedy"),
    [
        (Play(401, f"Incorrect API key provided: {KEY}"), "OPENAI_API_KEY"),
        (Play(403, "no access"), "OPENAI_API_KEY"),
        (Play(404, "The model `m` does not exist"), "TEACHER"),
        (Play(402, "pay"), "money"),
        (Play(429, "quota", "insufficient_quota", {"x-should-retry": "false"}), "money"),
    ],
)
def test_a_wrong_key_or_no_money_stops_everything(http_server: HTTPServer, play: Play, remedy: str) -> None:
    server = start(http_server, lambda text, asked: play)
    with pytest.raises(TeacherRefused, match=remedy) as caught:
        teacher_for(server).shortlist([f"spam # {number}" for number in range(100)])
    assert len(server.requests) < 20
    assert KEY not in str(caught.value)


def test_money_runs_out_in_the_middle_and_nothing_paid_is_lost(http_server: HTTPServer) -> None:
    lock: list[str] = []

    def script(text: str, asked: int) -> Play | None:
        lock.append(text)
        return Play(402, "pay") if len(lock) > 5 else None

    server = start(http_server, script)
    with pytest.raises(TeacherRefused) as caught:
        teacher_for(server).shortlist([f"spam # {number}" for number in range(50)])
    assert len(caught.value.partial) == 5 == server.answered
    assert caught.value.spent is not None
    assert caught.value.spent.calls == 5


def test_an_answer_without_labels_is_asked_again_with_the_list(http_server: HTTPServer) -> None:
    server = start(http_server, only(Play(text="Paris")))
    (answer,) = teacher_for(server).shortlist(["spam"])
    assert answer.candidates is not None
    assert answer.usage.calls == 2
    assert [message["role"] for message in server.requests[1]["messages"]] == ["system", "user", "assistant", "user"]
    assert '"spam", "ham", "eggs"' in server.requests[1]["messages"][-1]["content"]


def test_two_answers_without_labels_are_unparsed_and_paid(http_server: HTTPServer) -> None:
    server = start(http_server, lambda text, asked: Play(text="Paris"))
    (answer,) = teacher_for(server).shortlist(["spam"])
    assert (answer.state, answer.raw, answer.usage.calls) == (State.UNPARSED, "Paris", 2)


def test_a_cut_off_answer_is_asked_again_with_more_room(http_server: HTTPServer) -> None:
    server = start(http_server, only(Play(text='{"candidates": ["spa', finish="length")))
    (answer,) = teacher_for(server).shortlist(["spam"])
    assert answer.candidates is not None
    assert server.requests[1]["max_tokens"] == 2 * server.requests[0]["max_tokens"]
    assert len(server.requests[1]["messages"]) == 2


@pytest.mark.parametrize(
    "play", [Play(text="I cannot help with that.", finish="refusal"), Play(text="", finish="content_filter")]
)
def test_refusals_are_abstentions(http_server: HTTPServer, play: Play) -> None:
    server = start(http_server, lambda text, asked: play)
    (answer,) = teacher_for(server).shortlist(["spam"])
    assert (answer.state, answer.usage.calls) == (State.ABSTAINED, 1)


def test_a_text_that_the_server_refuses_fails_alone(http_server: HTTPServer) -> None:
    server = start(http_server, lambda text, asked: Play(400, "too long") if text == "ham" else None)
    answers = teacher_for(server).shortlist(["ham", "spam"])
    assert [answer.state for answer in answers] == [State.ABSTAINED, State.ANSWERED]
    assert "too long" in answers[0].reason


def test_when_every_request_is_refused_it_is_not_the_text(http_server: HTTPServer) -> None:
    server = start(http_server, lambda text, asked: Play(400, "bad parameter"))
    with pytest.raises(TeacherRefused, match="Every request"):
        teacher_for(server).shortlist(["ham"])


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"null", b"[]", b'{"choices": []}', b"<html>504</html>", b'{"choices": [{"index": 0}]}', b'"x"'],
)
def test_a_malformed_http_answer_is_unavailable(http_server: HTTPServer, raw: bytes) -> None:
    server = start(http_server, lambda text, asked: Play(raw=raw))
    with pytest.raises(TeacherUnavailable):
        teacher_for(server).shortlist(["spam"])


def test_an_answer_that_takes_too_long_is_unavailable(http_server: HTTPServer) -> None:
    server = start(http_server, lambda text, asked: Play(seconds=1.0))
    with pytest.raises(TeacherUnavailable, match="timed out"):
        teacher_for(server, timeout=0.2, max_retries=0).shortlist(["spam"])


def test_a_server_that_is_not_there_is_unavailable() -> None:
    provider = OpenAIProvider("m", KEY, PRICE, "http://127.0.0.1:9/v1", max_retries=0)
    with pytest.raises(TeacherUnavailable):
        LlmTeacher(provider, Composer(Prompt(SPACE, Strategy.ALL, 2)), PRICE).shortlist(["spam"])


def test_a_server_without_structured_output_gets_plain_requests(http_server: HTTPServer) -> None:
    """As `transformers serve` does it: unknown keys are a 422 that names them."""

    def script(text: str, asked: int) -> Play | None:
        body = server.requests[-1]
        return Play(422, "Unexpected keys in the request: {'response_format'}") if "response_format" in body else None

    server = start(http_server, script)
    teacher = teacher_for(server)
    assert all(answer.candidates for answer in teacher.shortlist(["spam", "ham"]))
    before = len(server.requests)
    assert all(answer.candidates for answer in teacher.shortlist(["eggs"]))
    assert len(server.requests) == before + 1


@pytest.mark.parametrize("address", ["", "https://api.openai.com/v1"])
def test_openai_itself_is_asked_not_to_think(http_server: HTTPServer, address: str) -> None:
    server = start(http_server)
    provider = OpenAIProvider("gpt-4o-mini", KEY, PRICE, address)
    body = provider.body(
        LlmTeacher(provider, Composer(Prompt(SPACE, Strategy.ALL, 2)), PRICE).composer.requests(["spam"])[0]
    )
    server.check(body)
    assert server.problems == []
    assert (body["reasoning_effort"], "max_tokens" in body) == ("none", False)
    assert body["max_completion_tokens"] > 1000


def test_what_may_be_spent_is_bounded(http_server: HTTPServer) -> None:
    server = start(http_server, lambda text, asked: Play(text="Paris"))
    teacher = teacher_for(server)
    texts = ["spam", "ham", "spam"]
    bound = teacher.upper_bound_microusd(texts)
    assert sum(answer.usage.microusd for answer in teacher.shortlist(texts)) <= bound
    assert teacher.upper_bound_microusd([]) == 0
    assert 0 < teacher.estimate(texts).microusd < bound


def test_a_long_wait_is_told_and_not_slept(http_server: HTTPServer) -> None:
    server = start(http_server, lambda text, asked: Play(429, "tomorrow", headers={"retry-after": "3600"}))
    with pytest.raises(TeacherUnavailable) as caught:
        teacher_for(server).shortlist(["spam"])
    assert caught.value.retry_seconds == 3600
    assert len(server.requests) == 1


def test_keys_are_never_shown(http_server: HTTPServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    options = TeacherOptions("openai:m", openai_api_key=KEY, anthropic_api_key=KEY, price="0,0")
    server = start(http_server, lambda text, asked: Play(401, f"bad key {KEY}"))
    teacher = teacher_for(server)
    with pytest.raises(TeacherError) as caught:
        teacher.shortlist(["spam"])
    shown = repr(options) + repr(teacher.__dict__) + str(caught.value) + repr(caught.value.__cause__) + caplog.text
    assert KEY not in shown
    assert redact("Incorrect API key provided: sk-proj-abcd*****1234.") == "Incorrect API key provided: [key]"


def test_a_missing_key_is_named() -> None:
    with pytest.raises(TeacherRefused, match="OPENAI_API_KEY"):
        make_teacher(TeacherOptions("openai:gpt-4o-mini"), SPACE, embed_words)


def test_the_settings_make_a_teacher(http_server: HTTPServer) -> None:
    server = start(http_server)
    options = TeacherOptions("openai:local", openai_base_url=server.base_url, price="0,0")
    teacher = make_teacher(options, SPACE, embed_words)
    assert (teacher.name, teacher.paid, teacher.fast) == ("openai:local", True, False)
    assert teacher.shortlist(["ham"])[0].usage.microusd == 0
    with pytest.raises(TeacherRefused, match="TEACHER_PRICE"):
        make_teacher(TeacherOptions("openai:local", openai_base_url=server.base_url), SPACE, embed_words)
    assert price_of("openai:gpt-4o").as_of
