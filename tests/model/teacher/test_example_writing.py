"""Examples that an LLM writes, over real HTTP."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer

from model.labels import LabelSpace
from model.teacher.base import Usage
from model.teacher.errors import TeacherRefused
from model.teacher.example_writing import generate_examples, read_texts, upper_bound_microusd
from model.teacher.llm import LlmTeacher
from model.teacher.prompting.composing import Composer
from model.teacher.prompting.examples import Examples
from model.teacher.prompting.prompts import Prompt, Strategy
from model.teacher.providers.openai import OpenAIProvider
from model.teacher.providers.prices import Price
from tests.support.embedding import embed_words
from tests.support.llm_server import OpenAIServer, Play

SPACE = LabelSpace.of(["sport", "food", "bank"])
PRICE = Price(1.0, 10.0, 0.1, 1.25)


def writer(
    http_server: HTTPServer, texts: dict[str, list[str]], fault: Play | None = None
) -> tuple[OpenAIServer, LlmTeacher]:
    """A server whose model writes these texts by label."""

    def script(text: str, asked: int) -> Play | None:
        return fault

    server = OpenAIServer(http_server, lambda text: "")
    provider = OpenAIProvider("m", "k", PRICE, server.base_url)

    def play(text: str, asked: int) -> Play | None:
        wish = server.requests[-1]["messages"][-1]["content"]
        label = next(name for name in SPACE.names if f'label "{name}"' in wish)
        return script(text, asked) or Play(text=json.dumps({"texts": texts.get(label, [])}))

    server.script = play
    return server, LlmTeacher(provider, Composer(Prompt(SPACE, Strategy.ALL, 2)), PRICE)


def test_every_label_is_asked_for_once(http_server: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("model.teacher.example_writing.THREADS", 1)
    texts = {
        "sport": ["the match was won", "a long race"],
        "food": ["fry onions", "a long race", "third"],
        "bank": ["Bank.", "- food"],
    }
    server, teacher = writer(http_server, texts)
    found, usage = generate_examples(teacher, 2)
    assert {(example.text, example.label, example.human) for example in found} == {
        ("the match was won", "sport", False), ("fry onions", "food", False)}  # fmt: skip
    assert usage == Usage(3, 300, 180, 30, 3 * (40 + 6 + 100))
    assert usage.microusd <= upper_bound_microusd(teacher, 2)
    assert len(server.requests) == 3
    schema = server.requests[0]["response_format"]["json_schema"]["schema"]
    assert schema["properties"]["texts"]["maxItems"] == 2  # small models of one's own repeat themselves
    assert len(Examples(found, embed_words)) == 2


def test_a_refused_label_has_none_and_a_wrong_key_stops(http_server: HTTPServer) -> None:
    _, teacher = writer(http_server, {}, Play(400, "too sensitive"))
    assert generate_examples(teacher) == ([], Usage())


def test_a_wrong_key_is_told(http_server: HTTPServer) -> None:
    _, teacher = writer(http_server, {}, Play(401, "wrong"))
    with pytest.raises(TeacherRefused, match="OPENAI_API_KEY"):
        generate_examples(teacher)


@given(st.one_of(st.text(max_size=80), st.binary(max_size=40).map(repr)))
def test_any_answer_can_be_read(raw: str) -> None:
    assert all(isinstance(text, str) for text in read_texts(raw))


def test_texts_are_cleaned() -> None:
    assert read_texts('{"texts": [" One text ", "one  TEXT", 3, "", "b"]}') == ["one  TEXT"]
    assert read_texts('{"texts": "no list"}') == []
