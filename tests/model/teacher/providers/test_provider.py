"""Both providers over real HTTP: what they share. Faults of every kind, retries, money, secrets."""

from __future__ import annotations

import itertools
from contextlib import suppress

import pytest
from pytest_httpserver import HTTPServer

from model.teacher.base import State, Usage
from model.teacher.choice import TeacherOptions, make_teacher
from model.teacher.errors import TeacherError, TeacherRefused, TeacherUnavailable
from model.teacher.prompting.composing import Composer
from model.teacher.prompting.prompts import Prompt, Strategy
from model.teacher.providers import http
from model.teacher.providers.provider import redact
from tests.support.embedding import embed_words
from tests.support.llm_server import Play
from tests.support.vendors import CLAUDE, KEY, OPENAI, PRICE, SPACE, Vendor


@pytest.fixture(params=[OPENAI, CLAUDE], ids=["openai", "anthropic"])
def vendor(request: pytest.FixtureRequest) -> Vendor:
    found: Vendor = request.param
    return found


def test_answers_come_in_order_and_the_request_is_what_the_sdk_allows(vendor: Vendor, http_server: HTTPServer) -> None:
    server = vendor.start(http_server)
    answers = vendor.asks(server).shortlist(["spam ham", "eggs", "ham"])
    labels = [answer.candidates.labels for answer in answers if answer.candidates]
    assert labels == [("spam", "ham"), ("eggs",), ("ham",)]
    assert server.headers[0]["authorization"] == f"Bearer {KEY}"
    assert server.problems == []


@pytest.mark.parametrize("status", [429, 500, 503, 529, 408, 409])
def test_a_passing_fault_is_retried_by_the_sdk(vendor: Vendor, http_server: HTTPServer, status: int) -> None:
    busy = Play(status, "later", headers={"retry-after-ms": "10"})
    server = vendor.start(http_server, lambda text, asked: busy if asked < 2 else None)
    (answer,) = vendor.asks(server).shortlist(["spam"])
    assert answer.candidates is not None
    assert (len(server.requests), answer.usage.calls) == (3, 1)


def test_a_lasting_fault_is_unavailable_and_keeps_the_rest(vendor: Vendor, http_server: HTTPServer) -> None:
    busy = Play(529, "Overloaded", headers={"retry-after": "0.01"})
    server = vendor.start(http_server, lambda text, asked: busy if text == "ham" else None)
    with pytest.raises(TeacherUnavailable, match="Overloaded") as caught:
        vendor.asks(server).shortlist(["spam", "ham", "eggs"])
    assert set(caught.value.partial) == {0, 2}
    assert caught.value.spent is not None
    assert (caught.value.spent.calls, caught.value.retry_seconds) == (2, 0.01)


def test_after_several_failures_in_a_row_nothing_more_is_sent(vendor: Vendor, http_server: HTTPServer) -> None:
    server = vendor.start(http_server, lambda text, asked: Play(500, "down"))
    with pytest.raises(TeacherUnavailable):
        vendor.asks(server, max_retries=0).shortlist([f"spam # {number}" for number in range(200)])
    assert len(server.requests) < 50


REFUSALS = [
    (OPENAI, Play(401, f"Incorrect API key provided: {KEY}"), "OPENAI_API_KEY"),
    (OPENAI, Play(403, "no access"), "OPENAI_API_KEY"),
    (OPENAI, Play(404, "The model `m` does not exist"), "TEACHER and OPENAI_BASE_URL"),
    (OPENAI, Play(402, "pay"), "money"),
    (OPENAI, Play(429, "quota", "insufficient_quota", {"x-should-retry": "false"}), "money"),
    (CLAUDE, Play(401, f"invalid x-api-key {KEY}"), "ANTHROPIC_API_KEY"),
    (CLAUDE, Play(403, "not allowed"), "ANTHROPIC_API_KEY"),
    (CLAUDE, Play(404, "model: claude-x"), "TEACHER"),
    (CLAUDE, Play(400, "Your credit balance is too low to access the Anthropic API."), "money"),
    (CLAUDE, Play(402, "pay"), "money"),
]


@pytest.mark.parametrize(("vendor", "play", "remedy"), REFUSALS)
def test_a_wrong_key_or_no_money_stops_at_the_first_call(
    vendor: Vendor, play: Play, remedy: str, http_server: HTTPServer
) -> None:
    server = vendor.start(http_server, lambda text, asked: play)
    with pytest.raises(TeacherRefused, match=remedy) as caught:
        vendor.asks(server).shortlist([f"spam # {number}" for number in range(100)])
    assert len(server.requests) == 1
    assert KEY not in str(caught.value)


def test_money_runs_out_in_the_middle_and_nothing_paid_is_lost(vendor: Vendor, http_server: HTTPServer) -> None:
    places = itertools.count()  # several calls come at once, and each gets a place of its own

    def script(text: str, asked: int) -> Play | None:
        return Play(402, "pay") if next(places) >= 5 else None

    server = vendor.start(http_server, script)
    with pytest.raises(TeacherRefused) as caught:
        vendor.asks(server).shortlist([f"spam # {number}" for number in range(50)])
    assert len(caught.value.partial) == 5 == server.answered
    assert caught.value.spent is not None
    assert caught.value.spent.calls == 5


def test_a_cut_off_answer_is_asked_again_with_more_room(vendor: Vendor, http_server: HTTPServer) -> None:
    cut = Play(text='{"candidates": ["spa', finish=vendor.cut_off)
    server = vendor.start(http_server, lambda text, asked: cut if asked == 0 else None)
    teacher = vendor.asks(server)
    (answer,) = teacher.shortlist(["spam"])
    assert answer.candidates is not None
    thinking = teacher.provider.most_output(0)
    rooms = [request["max_tokens"] - thinking for request in server.requests]
    assert rooms[1] == 2 * rooms[0]
    assert len(server.requests[0]["messages"]) == len(server.requests[1]["messages"])


def test_a_refusal_is_an_abstention(vendor: Vendor, http_server: HTTPServer) -> None:
    server = vendor.start(http_server, lambda text, asked: Play(text="I cannot help with that.", finish="refusal"))
    (answer,) = vendor.asks(server).shortlist(["spam"])
    assert (answer.state, answer.usage.calls) == (State.ABSTAINED, 1)


MALFORMED = [b"", b"{", b"null", b"[]", b"{}", b"<html>504</html>", b'{"content": null}', b'{"choices": []}', b'"x"',
             b'{"choices": [{"index": 0}]}']  # fmt: skip


@pytest.mark.parametrize("raw", MALFORMED)
def test_a_malformed_http_answer_is_unavailable(vendor: Vendor, http_server: HTTPServer, raw: bytes) -> None:
    server = vendor.start(http_server, lambda text, asked: Play(raw=raw))
    with pytest.raises(TeacherUnavailable):
        vendor.asks(server).shortlist(["spam"])


def test_an_answer_that_takes_too_long_is_unavailable(vendor: Vendor, http_server: HTTPServer) -> None:
    server = vendor.start(http_server, lambda text, asked: Play(seconds=0.6))
    with pytest.raises(TeacherUnavailable, match="timed out"):
        vendor.asks(server, timeout=0.2, max_retries=0).shortlist(["spam"])


@pytest.mark.parametrize(
    ("seconds", "slow", "timeout", "complaints"), [(0.0, 240, 240, 0), (0.3, 0.2, 240, 1), (0.9, 0.1, 0.2, 1)]
)
def test_a_slow_server_is_asked_less_at_once(
    vendor: Vendor, http_server: HTTPServer, monkeypatch: pytest.MonkeyPatch,
    seconds: float, slow: float, timeout: float, complaints: int,
) -> None:  # fmt: skip
    monkeypatch.setattr(http, "SLOW_SECONDS", slow)
    server = vendor.start(http_server, lambda text, asked: Play(seconds=seconds))
    heard: list[int] = []
    provider = vendor.provider(vendor.model, KEY, PRICE, server.base_url, lambda status, wait: heard.append(status),
                               max_retries=0, timeout=timeout)  # fmt: skip
    request = Composer(Prompt(SPACE, Strategy.ALL, 2)).requests(["spam"])[0]
    with suppress(TeacherUnavailable):
        provider.complete(request)
    assert heard.count(http.TOO_SLOW) == complaints
    assert heard.count(200) == (seconds < timeout)


def test_a_server_that_is_not_there_is_named_without_its_login(vendor: Vendor, http_server: HTTPServer) -> None:
    server = vendor.start(http_server)
    with pytest.raises(TeacherUnavailable) as caught:
        vendor.asks(server, "http://me:pass@127.0.0.1:9/v1", max_retries=0).shortlist(["spam"])
    assert f"{vendor.teacher} at http://127.0.0.1:9/v1: " in str(caught.value)


def test_a_long_wait_is_told_and_not_slept(vendor: Vendor, http_server: HTTPServer) -> None:
    server = vendor.start(http_server, lambda text, asked: Play(429, "tomorrow", headers={"retry-after": "3600"}))
    with pytest.raises(TeacherUnavailable) as caught:
        vendor.asks(server).shortlist(["spam"])
    assert caught.value.retry_seconds == 3600
    assert len(server.requests) == 1


def test_keys_are_never_shown(vendor: Vendor, http_server: HTTPServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    options = TeacherOptions(vendor.teacher, openai_api_key=KEY, anthropic_api_key=KEY, price="0,0")
    teacher = vendor.asks(vendor.start(http_server, lambda text, asked: Play(401, f"bad key {KEY}")))
    with pytest.raises(TeacherError) as caught:
        teacher.shortlist(["spam"])
    shown = repr(options) + repr(teacher.__dict__) + str(caught.value) + repr(caught.value.__cause__) + caplog.text
    assert KEY not in shown
    assert redact("Incorrect API key provided: sk-proj-abcd*****1234.") == "Incorrect API key provided: [key]"


def test_a_missing_key_is_named(vendor: Vendor) -> None:
    with pytest.raises(TeacherRefused, match=vendor.key_setting):
        make_teacher(TeacherOptions(vendor.teacher), SPACE, embed_words)
    options = TeacherOptions(vendor.teacher, openai_api_key=KEY, anthropic_api_key=KEY)
    teacher = make_teacher(options, SPACE, embed_words)
    assert (teacher.name, teacher.paid, teacher.fast) == (vendor.teacher, True, False)
    assert teacher.upper_bound_microusd(["x"]) > 0


def test_only_servers_of_ones_own_need_no_key() -> None:
    local = TeacherOptions("openai:m", openai_base_url="http://127.0.0.1:9/v1", price="0,0")
    assert make_teacher(local, SPACE, embed_words).upper_bound_microusd(["x"]) == 0
    gateway = TeacherOptions("anthropic:m", anthropic_base_url="http://127.0.0.1:9", price="0,0")
    with pytest.raises(TeacherRefused, match=r"needs ANTHROPIC_API_KEY$"):
        make_teacher(gateway, SPACE, embed_words)


def test_equal_texts_are_paid_once(vendor: Vendor, http_server: HTTPServer) -> None:
    server = vendor.start(http_server)
    teacher = vendor.asks(server)
    assert teacher.shortlist([]) == []
    assert server.requests == []
    answers = teacher.shortlist(["spam", "ham", "spam"])
    assert len(server.requests) == 2
    assert answers[0].candidates == answers[2].candidates
    assert [answer.usage.calls for answer in answers] == [1, 1, 0]
    assert answers[2].usage == Usage()


def test_an_answer_without_labels_is_asked_again_with_the_list(vendor: Vendor, http_server: HTTPServer) -> None:
    server = vendor.start(http_server, lambda text, asked: Play(text="Paris") if asked == 0 else None)
    (answer,) = vendor.asks(server).shortlist(["spam"])
    assert answer.candidates is not None
    assert answer.usage.calls == 2
    asked = server.requests[1]["messages"]
    assert [message["role"] for message in asked[-3:]] == ["user", "assistant", "user"]
    assert '"spam", "ham", "eggs"' in asked[-1]["content"]


def test_two_answers_without_labels_are_unparsed_and_paid(vendor: Vendor, http_server: HTTPServer) -> None:
    server = vendor.start(http_server, lambda text, asked: Play(text="Paris"))
    (answer,) = vendor.asks(server).shortlist(["spam"])
    assert (answer.state, answer.raw, answer.usage.calls) == (State.UNPARSED, "Paris", 2)


def test_a_text_that_the_server_refuses_fails_alone(vendor: Vendor, http_server: HTTPServer) -> None:
    server = vendor.start(http_server, lambda text, asked: Play(400, "too long") if text == "ham" else None)
    answers = vendor.asks(server).shortlist(["ham", "spam"])
    assert [answer.state for answer in answers] == [State.REFUSED, State.ANSWERED]
    assert "too long" in answers[0].reason


def test_when_every_request_is_refused_it_is_not_the_text(vendor: Vendor, http_server: HTTPServer) -> None:
    server = vendor.start(http_server, lambda text, asked: Play(400, "bad parameter"))
    with pytest.raises(TeacherRefused, match="Every request"):
        vendor.asks(server).shortlist(["ham"])


def test_what_may_be_spent_is_bounded(vendor: Vendor, http_server: HTTPServer) -> None:
    server = vendor.start(http_server, lambda text, asked: Play(text="Paris"))
    teacher = vendor.asks(server)
    texts = ["spam", "ham", "spam"]
    bound = teacher.upper_bound_microusd(texts)
    assert sum(answer.usage.microusd for answer in teacher.shortlist(texts)) <= bound
    assert teacher.upper_bound_microusd([]) == 0
    assert 0 < teacher.estimate(texts).microusd < bound
