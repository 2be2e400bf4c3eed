"""The LLM teacher as a whole: several texts per call, many texts under faults, panels and examples by the settings."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from model.labels import Label, LabelSpace
from model.teacher.base import Answer, State, Usage
from model.teacher.choice import TeacherOptions, make_teacher, teacher_hash
from model.teacher.errors import TeacherRefused, TeacherUnavailable
from model.teacher.llm import LlmTeacher
from model.teacher.prompting.examples import Example
from tests.support.embedding import embed_words
from tests.support.llm_server import TEXT, OpenAIServer, Play, Script

SPACE = LabelSpace.of(["spam", "ham", "eggs"])
PRICE = "1,10"


def echo(text: str) -> str:
    return json.dumps({"candidates": text.split("#", maxsplit=1)[0].split()})


def teacher_for(server: OpenAIServer, **options: Any) -> Any:
    return make_teacher(options_for(server, **options), SPACE, embed_words, options.get("pool", ()))


def options_for(server: OpenAIServer, **options: Any) -> TeacherOptions:
    options.pop("pool", None)
    return TeacherOptions(**{"teacher": "openai:m", "openai_base_url": server.base_url, "price": PRICE, **options})


def several(server: OpenAIServer, wrong: dict[int, Any] | None = None) -> Script:
    """Answers to all texts of a request, some of them replaced."""

    def script(text: str, asked: int) -> Play | None:
        content = server.requests[-1]["messages"][-1]["content"]
        texts = [TEXT.search(part).group(1) for part in content.split("Text ") if TEXT.search(part)]  # type: ignore[union-attr]
        if len(texts) < 2:
            return None
        rows = [{"text": number, "candidates": asked.split()} for number, asked in enumerate(texts, 1)]
        kept = [row if row["text"] not in (wrong or {}) else wrong[row["text"]] for row in rows]  # type: ignore[index]
        return Play(text=json.dumps({"answers": [row for row in kept if row is not None]}))

    return script


def test_several_texts_in_one_call(http_server: HTTPServer) -> None:
    server = OpenAIServer(http_server, echo)
    server.script = several(server)
    answers = teacher_for(server, per_call=3).shortlist(["spam", "ham", "eggs", "ham spam", "eggs ham"])
    assert [answer.candidates.labels for answer in answers] == [
        ("spam",), ("ham",), ("eggs",), ("ham", "spam"), ("eggs", "ham")]  # fmt: skip
    assert len(server.requests) == 2
    assert server.problems == []
    assert [answer.usage.calls for answer in answers] == [1, 0, 0, 1, 0]


@pytest.mark.parametrize(
    "wrong",
    [None, {"text": 9, "candidates": ["ham"]}, {"text": 1, "candidates": ["ham"]}, {"text": 2, "candidates": ["Paris"]},
     {"text": "2", "candidates": ["ham"]}, {"candidates": ["ham"]}, {"text": True, "candidates": ["ham"]}, 7],
)  # fmt: skip
def test_a_text_that_is_missing_or_doubtful_is_asked_alone(http_server: HTTPServer, wrong: Any) -> None:
    """A number that occurs twice makes both doubtful: no text may get another one's labels."""
    server = OpenAIServer(http_server, echo)
    server.script = several(server, {2: wrong})
    answers = teacher_for(server, per_call=3).shortlist(["spam", "eggs", "spam eggs"])
    assert [answer.candidates.labels for answer in answers] == [("spam",), ("eggs",), ("spam", "eggs")]
    doubled = isinstance(wrong, dict) and type(wrong.get("text")) is int and wrong["text"] == 1
    assert len(server.requests) == (3 if doubled else 2)
    assert sum(answer.usage.calls for answer in answers) == len(server.requests)


def test_a_call_for_several_that_is_refused_or_nonsense_falls_back(http_server: HTTPServer) -> None:
    def script(text: str, asked: int) -> Play | None:
        many = server.requests[-1]["messages"][-1]["content"].count("<text>") > 1
        return Play(400, "too long") if many else None

    server = OpenAIServer(http_server, echo, script)
    teacher = teacher_for(server, per_call=2)
    texts = ["spam", "ham", "eggs"]
    answers = teacher.shortlist(texts)
    assert all(answer.candidates for answer in answers)
    assert sum(answer.usage.microusd for answer in answers) <= teacher.upper_bound_microusd(texts)
    assert teacher.estimate(texts).calls == 2


def test_money_is_counted_when_a_later_call_fails(http_server: HTTPServer) -> None:
    server = OpenAIServer(http_server, echo)
    good = several(server, {2: None})

    def script(text: str, asked: int) -> Play | None:
        return good(text, asked) or Play(401, "key withdrawn")

    server.script = script
    with pytest.raises(TeacherRefused) as caught:
        teacher_for(server, per_call=3).shortlist(["spam", "ham", "eggs"])
    assert set(caught.value.partial) == {0, 2}
    assert caught.value.spent is not None
    assert caught.value.spent.calls == 1


FAULTS = [
    Play(429, "slow down", headers={"retry-after-ms": "5"}), Play(500, "oops"), Play(503, "busy"), Play(raw=b"{"),
    Play(text="Paris"), Play(text='{"candidates": ["sp', finish="length"), Play(text="", finish="refusal"),
    Play(seconds=0.2),
]  # fmt: skip


def test_many_texts_under_faults_of_every_kind(http_server: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is lost and nothing is paid twice: what an outage left open is asked again, and only that."""
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.01)

    def script(text: str, asked: int) -> Play | None:
        chance = hashlib.sha256(f"{text} {asked}".encode()).digest()
        return FAULTS[chance[1] % len(FAULTS)] if chance[0] < 26 else None

    server = OpenAIServer(http_server, echo, script)
    teacher = teacher_for(server)
    texts = [f"{SPACE.names[number % 3]} # {number}" for number in range(400)]
    answers, usage = ask_until_done(teacher, texts)
    wrong = [text for text, answer in answers.items() if answer.candidates and answer.candidates.top not in text]
    assert wrong == []
    assert len(answers) == len(texts)
    assert sum(answer.candidates is not None for answer in answers.values()) > 380
    assert usage.calls - usage.estimated == server.answered  # answers that broke off may have been billed
    assert 1 < server.most_at_once <= 32


def ask_until_done(teacher: LlmTeacher, texts: list[str]) -> tuple[dict[str, Answer], Usage]:
    """As a job does it: chunks, and what is missing again in the next round."""
    answers: dict[str, Answer] = {}
    usage = Usage()
    while len(answers) < len(texts):
        chunk = [text for text in texts if text not in answers][:50]
        try:
            found: Any = dict(enumerate(teacher.shortlist(chunk)))
            usage += sum((answer.usage for answer in found.values()), Usage())
        except TeacherUnavailable as error:
            found = error.partial
            usage += error.spent or Usage()
        answers |= {chunk[place]: answer for place, answer in found.items()}
    return answers, usage


def test_self_consistency_votes(http_server: HTTPServer) -> None:
    said = [["spam"], ["spam", "ham"], ["eggs"]]
    server = OpenAIServer(http_server, echo, lambda text, asked: Play(text=json.dumps({"candidates": said[asked]})))
    (answer,) = teacher_for(server, votes=3).shortlist(["?"])
    assert answer.candidates.labels == ("spam", "ham", "eggs")
    assert answer.candidates.confidences == pytest.approx((2 / 3, 1 / 3, 1 / 3))
    assert answer.usage.calls == 3
    assert len({request["messages"][0]["content"] for request in server.requests}) > 1
    assert {request["temperature"] for request in server.requests} == {0.5}


def test_an_llm_and_the_similarity_teacher_vote(http_server: HTTPServer) -> None:
    server = OpenAIServer(http_server, lambda text: '{"candidates": ["ham"]}')
    teacher = teacher_for(server, teacher="openai:m+similarity", max_candidates=2)
    (answer,) = teacher.shortlist(["spam"])
    assert set(answer.candidates.labels) == {"spam", "ham"}
    (one,) = teacher_for(server, votes=3, max_candidates=1).shortlist(["spam"])
    assert one.candidates.labels == ("ham",)
    assert teacher.paid
    assert teacher.name == "openai:m+similarity"


def test_examples_of_the_project_are_shown(http_server: HTTPServer) -> None:
    server = OpenAIServer(http_server, echo)
    pool = [Example("green eggs", "eggs"), Example("spam spam", "spam")]
    teacher_for(server, examples="nearest", example_count=1, pool=pool).shortlist(["eggs # now", "spam # spam"])
    shown = {request["messages"][-1]["content"]: request["messages"][1]["content"] for request in server.requests}
    assert "green eggs" in shown["<text>\neggs # now\n</text>"]


@pytest.mark.parametrize(
    "change",
    [
        {"teacher": "openai:other"},
        {"teacher": "similarity"},
        {"teacher": "openai:m+anthropic:n"},
        {"teacher": "openai:m+similarity"},
        {"prompt": "single"},
        {"max_candidates": 2},
        {"instructions": "x"},
        {"template": "$labels"},
        {"votes": 3},
        {"per_call": 5},
        {"labels_shown": "2", "per_call": 5},
        {"examples": "nearest"},
        {"examples": "fixed", "example_count": 3},
    ],
    ids=str,
)
def test_the_hash_is_known_without_a_teacher_and_covers_the_options(http_server: HTTPServer, change: Any) -> None:
    base = options_for(OpenAIServer(http_server, echo))
    options = replace(base, anthropic_api_key="k" * 9, **change)
    assert teacher_hash(options, SPACE) == make_teacher(options, SPACE, embed_words).hash
    assert teacher_hash(options, SPACE) != teacher_hash(base, SPACE)
    assert teacher_hash(replace(options, openai_api_key="x", price="2,2"), SPACE) == teacher_hash(options, SPACE)


def test_the_hash_covers_the_labels_of_an_llm() -> None:
    options = TeacherOptions("openai:m")
    hinted = LabelSpace((Label("spam", hint="unwanted"), Label("ham"), Label("eggs")))
    assert teacher_hash(options, SPACE) != teacher_hash(options, hinted)
    assert teacher_hash(TeacherOptions("auto"), SPACE) == teacher_hash(TeacherOptions("similarity"), SPACE)


@pytest.mark.parametrize(
    ("options", "named"),
    [(TeacherOptions("gpt"), "TEACHER"), (TeacherOptions("openai:"), "TEACHER"),
     (TeacherOptions("openai:x", "many", price="0,0", openai_base_url="http://x"), "PROMPT"),
     (TeacherOptions("openai:x", price="0,0", openai_base_url="http://x", examples="some"), "examples"),
     (TeacherOptions("openai:x", price="0,0", openai_base_url="http://x", labels_shown="1"), "labels"),
     (TeacherOptions("bedrock:x", price="0,0"), "TEACHER")],
)  # fmt: skip
def test_wrong_settings_are_named(options: TeacherOptions, named: str) -> None:
    with pytest.raises(TeacherRefused, match=named):
        make_teacher(options, SPACE, embed_words)


def test_a_hash_loads_nothing_heavy() -> None:
    program = """
import sys
from model.labels import LabelSpace
from model.teacher.choice import TeacherOptions, teacher_hash
for name in ("auto", "openai:m", "anthropic:m", "openai:m+similarity"):
    teacher_hash(TeacherOptions(name), LabelSpace.of("ab"))
print([name for name in ("torch", "transformers", "openai", "anthropic", "httpx2") if name in sys.modules])
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_states_are_what_they_say() -> None:
    assert [state.value for state in State] == ["answered", "abstained", "refused", "unparsed"]
