"""Batches of both providers over real HTTP: nothing lost, nothing invented, half the price, resumable by ticket."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from model.labels import LabelSpace
from model.teacher.base import State, Usage
from model.teacher.batches import BatchTeacher, Ticket
from model.teacher.errors import TeacherError
from model.teacher.llm import LlmTeacher
from model.teacher.prompting.composing import Composer
from model.teacher.prompting.prompts import Prompt, Strategy
from model.teacher.providers.anthropic import AnthropicProvider
from model.teacher.providers.anthropic_batches import AnthropicBatches
from model.teacher.providers.openai import OpenAIProvider
from model.teacher.providers.openai_batches import OpenAIBatches
from model.teacher.providers.prices import Price
from tests.support.batch_servers import AnthropicBatchServer, OpenAIBatchServer

SPACE = LabelSpace.of(["spam", "ham", "eggs"])
PRICE = Price(1.0, 10.0, 0.1, 1.25, 0.5)
COMPOSER = Composer(Prompt(SPACE, Strategy.ALL, 2))
MARK = "0a1b2c3d4e5f"
KEY = "sk-0123456789"


def echo(text: str) -> str:
    return json.dumps({"candidates": text.split("#", maxsplit=1)[0].split()})


@pytest.fixture(params=["openai", "anthropic"])
def parts(request: pytest.FixtureRequest, http_server: HTTPServer) -> tuple[Any, BatchTeacher]:
    """A vendor's server, and a teacher that talks to it."""
    if request.param == "openai":
        server: Any = OpenAIBatchServer(http_server, echo)
        openai = OpenAIProvider("m", KEY, PRICE, server.base_url, max_retries=0)
        teacher = BatchTeacher(LlmTeacher(openai, COMPOSER, PRICE), OpenAIBatches(openai))
    else:
        server = AnthropicBatchServer(http_server, echo)
        claude = AnthropicProvider("m", KEY, PRICE, server.base_url, max_retries=0)
        teacher = BatchTeacher(LlmTeacher(claude, COMPOSER, PRICE), AnthropicBatches(claude))
    server.serve_batches(http_server)
    return server, teacher


TEXTS = {"t1": "spam", "t2": "ham", "t3": "eggs spam", "t4": "ham", "t5": "spam"}


def test_a_batch_from_ticket_to_answers(parts: tuple[Any, BatchTeacher]) -> None:
    server, teacher = parts
    teacher.teacher.shortlist(["eggs"])  # as the job does first: the prompt is in the cache from then on
    ticket = teacher.submit(TEXTS, MARK)
    assert server.problems == []
    assert not teacher.progress(ticket).ended
    assert teacher.collect(ticket).answers == {}
    server.finish()
    restored = Ticket.from_json(json.loads(json.dumps(ticket.to_json())))
    assert restored == ticket
    assert teacher.progress(restored).ended
    found = teacher.collect(restored)
    assert {key: answer.candidates.labels for key, answer in found.answers.items() if answer.candidates} == {
        "t1": ("spam",), "t2": ("ham",), "t3": ("eggs", "spam"), "t4": ("ham",), "t5": ("spam",)}  # fmt: skip
    assert found.answers["t5"].usage == Usage()  # sent once, paid once
    assert (found.again, found.ended) == ((), True)
    assert teacher.collect(restored) == found


def test_a_batch_costs_half(parts: tuple[Any, BatchTeacher]) -> None:
    server, teacher = parts
    ticket = teacher.submit(TEXTS, MARK)
    server.finish()
    found = teacher.collect(ticket)
    whole = teacher.teacher.shortlist(["ham"])[0].usage
    assert found.answers["t2"].usage.microusd == -(-whole.microusd // 2) or server.path == "/v1/messages"
    assert found.spent.calls == 3
    assert found.spent.microusd <= teacher.upper_bound_microusd(list(TEXTS.values()))


def test_every_kind_of_partial_failure(parts: tuple[Any, BatchTeacher]) -> None:
    server, teacher = parts
    texts = {"a": "spam", "ok": "spam ham", "x1": "ham # expired", "x2": "ham # server_error", "x3": "ham # refused",
             "x4": "ham # malformed", "twin": "ham # expired"}  # fmt: skip
    server.fate = lambda text: text.split("# ")[1] if "#" in text else "succeeded"
    ticket = teacher.submit(texts, MARK)
    server.finish()
    found = teacher.collect(ticket)
    assert set(found.answers) | set(found.again) == set(texts)
    assert set(found.again) == {"x1", "x2", "x4", "twin"}
    assert found.answers["ok"].candidates is not None
    assert found.answers["x3"].state is State.REFUSED
    assert found.spent.calls == 3


def test_a_cancelled_batch_keeps_what_was_done(parts: tuple[Any, BatchTeacher]) -> None:
    server, teacher = parts
    server.fate = lambda text: "expired" if "eggs" in text else "succeeded"
    ticket = teacher.submit(TEXTS, MARK)
    teacher.cancel(ticket)
    found = teacher.collect(ticket)
    assert (set(found.answers), found.again) == ({"t1", "t2", "t4", "t5"}, ("t3",))
    teacher.cancel(ticket)


def test_large_submissions_are_split(parts: tuple[Any, BatchTeacher], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("model.teacher.batches.LARGEST_BATCH", 10)
    server, teacher = parts
    texts = {f"t{number}": f"spam # {number}" for number in range(25)}
    ticket = teacher.submit(texts, MARK)
    assert [len(keys) for keys in ticket.batches.values()] == [10, 10, 5]
    server.finish()
    found = teacher.collect(ticket)
    assert set(found.answers) == set(texts)
    assert found.again == ()


def test_batches_that_were_taken_are_not_lost_when_a_later_one_is_not(
    parts: tuple[Any, BatchTeacher], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("model.teacher.batches.LARGEST_BATCH", 10)
    server, teacher = parts
    server.most_batches = 1
    texts = {f"t{number}": f"spam # {number}" for number in range(25)}
    ticket = teacher.submit({**texts, "twin": "spam # 24"}, MARK)
    assert [len(keys) for keys in ticket.batches.values()] == [10]
    assert ticket.twins == {}
    server.finish()
    assert set(teacher.collect(ticket).answers) == {f"t{number}" for number in range(10)}


def test_a_refused_batch_is_told_and_nobody_is_asked_directly(parts: tuple[Any, BatchTeacher]) -> None:
    server, teacher = parts
    server.most_batches = 0
    with pytest.raises(TeacherError):
        teacher.submit(TEXTS, MARK)
    assert server.requests == []


def test_nothing_to_submit_and_keys_that_cannot_be_sent(parts: tuple[Any, BatchTeacher]) -> None:
    server, teacher = parts
    ticket = teacher.submit({}, MARK)
    assert (ticket.batches, server.requests) == ({}, [])
    assert teacher.collect(ticket).ended
    with pytest.raises(ValueError, match="other characters"):
        teacher.submit({"a b": "spam"}, MARK)


def test_a_ticket_that_the_provider_forgot(parts: tuple[Any, BatchTeacher], http_server: HTTPServer) -> None:
    _, teacher = parts
    with pytest.raises(TeacherError):
        teacher.collect(Ticket(teacher.teacher.hash, {"unknown_batch": ["a"]}))
    http_server.clear_assertions()
    http_server.clear_handler_errors()
