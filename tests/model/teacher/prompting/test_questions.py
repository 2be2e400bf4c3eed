"""Several questions are asked in one call and read one by one: a wrong part costs nothing but itself."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.group_answers import answer_of, within
from model.groups import Group, When
from model.labels import CandidateSet, Label, LabelSpace
from model.teacher.base import State
from model.teacher.prompting.composing import turns_of
from model.teacher.prompting.examples import Example
from model.teacher.prompting.forms import read_answer, read_entry, rendered_answer, rendered_together
from model.teacher.prompting.prompts import Prompt, Strategy
from model.teacher.prompting.question_forms import keys

NAMES = ("mood=bad", "mood=good", "die Themen=Preis", "die Themen=Paket", "why=late", "why=lost", "stars=1", "stars=2")
SPACE = LabelSpace(
    tuple(map(Label, NAMES)),
    "",
    "several",
    1,
    (
        Group("mood", "one", 0, 2),
        Group("die Themen", "any", 2, 4, 0),
        Group("why", "one", 4, 6, 1, (When(("mood=bad",)),)),
        Group("stars", "ordered", 6, 8),
    ),
)
PROMPT = Prompt(SPACE, Strategy.ALL, 5)


def read(value: Any) -> CandidateSet | None:
    raw = value if isinstance(value, str) else json.dumps(value)
    found = read_answer(raw, SPACE, Strategy.ALL, False, 5)
    return CandidateSet(found.labels, (), found.certain) if found.state is State.ANSWERED else None


def test_the_prompt_names_every_question_its_labels_and_its_condition() -> None:
    told = PROMPT.system()
    assert '"mood" (one label):\n- "bad"\n- "good"\n' in told
    assert '"question_2" "die Themen" (several labels, all that apply, maybe none):\n- "Preis"' in told
    assert '"why" (one label; only where "mood" is "bad"):' in told
    assert '"stars" (one label; they are in order):' in told
    assert "answer 4 questions" in told
    assert PROMPT.shape in told
    assert json.loads(PROMPT.shape) == {
        "mood": {"candidates": ["..."]},
        "question_2": {"certain": ["..."], "possible": ["..."]},
        "why": {"candidates": ["..."]},
        "stars": {"candidates": ["..."]},
    }


def test_the_schema_holds_each_question_to_its_own_labels() -> None:
    found = PROMPT.schema()
    assert found["required"] == list(keys(SPACE))
    mood, topics = found["properties"]["mood"], found["properties"]["question_2"]
    assert mood["properties"]["candidates"]["items"]["enum"] == ["bad", "good"]
    assert topics["properties"]["certain"]["items"]["enum"] == ["Preis", "Paket"]
    entry = PROMPT.schema(together=3)["properties"]["answers"]["items"]
    assert entry["properties"]["answer"] == found


def test_an_answer_is_read_question_by_question() -> None:
    found = read({"mood": {"candidates": ["bad", "good"]}, "question_2": {"certain": ["Paket"], "possible": []},
                  "WHY": {"candidates": ["late"]}, "stars": {"candidates": [2]}})  # fmt: skip
    assert found is not None
    assert answer_of(SPACE, found) == ("mood=bad", "die Themen=Paket", "why=late", "stars=2")
    mood = within(SPACE, 0, found)
    assert mood is not None
    assert mood.labels == ("bad", "good")


def test_what_is_not_asked_is_dropped_and_what_is_missing_says_nothing() -> None:
    found = read({"mood": {"candidates": ["good"]}, "why": {"candidates": ["late"]}, "stars": {"candidates": ["7"]}})
    assert found is not None
    parts = [within(SPACE, place, found) for place in range(4)]
    assert parts[0] is not None
    assert parts[0].labels == ("good",)
    assert parts[1:] == [None, None, None]  # no key, not asked, no label
    none = read({"mood": {"candidates": ["good"]}, "question_2": {"certain": [], "possible": []}})
    assert none is not None
    assert within(SPACE, 1, none) == CandidateSet((), (), ())


@pytest.mark.parametrize(
    "raw",
    [
        "no idea",
        "{",
        '{"answer": "bad"}',
        '["bad"]',
        '{"mood": {"candidates": ["bad"]}} {"mood": {"candidates": ["good"]}}',
    ],
)
def test_what_is_no_answer_is_asked_again(raw: str) -> None:
    assert read_answer(raw, SPACE, Strategy.ALL, False, 5).state is State.UNPARSED


def test_lines_plain_values_and_empty_answers_are_understood() -> None:
    lines = read('Sure!\nmood: good\n"die Themen": Preis, Paket')
    assert lines is not None
    assert "mood=good" in lines.labels
    assert "die Themen=Preis" in lines.labels
    plain = read({"mood": "bad", "die Themen": ["Paket"], "stars": 1})
    assert plain is not None
    assert {"mood=bad", "die Themen=Paket", "stars=1"} <= set(plain.labels)
    assert read_answer('{"mood": {"candidates": []}}', SPACE, Strategy.ALL, False, 5).state is State.ABSTAINED
    whole = rendered_answer(SPACE, ("mood=bad", "why=lost"))
    assert read_answer(whole, SPACE, Strategy.ALL, True, 5).state is State.ANSWERED
    assert read_answer(whole[:-3], SPACE, Strategy.ALL, True, 5).state is State.UNPARSED


LEAVES = st.none() | st.text() | st.integers() | st.sampled_from(["bad", "Preis", "late"])
KEYS = st.sampled_from([*keys(SPACE), "certain", "candidates", "x"])


@given(st.recursive(LEAVES, lambda part: st.lists(part) | st.dictionaries(KEYS, part), max_leaves=12))
def test_whatever_comes_the_answer_is_a_legal_set_or_a_named_state(value: Any) -> None:
    found = read_answer(json.dumps(value), SPACE, Strategy.ALL, False, 5)
    assert set(found.labels) <= set(NAMES)
    if found.state is State.ANSWERED:
        CandidateSet(found.labels, (), found.certain)
    else:
        assert found.reason


def test_examples_show_the_questions_that_people_answered() -> None:
    labels = ("mood=bad", "die Themen=Preis")
    turns = turns_of([Example("so dear", labels[0], others=labels[1:])], SPACE)
    assert json.loads(turns[1].text) == {
        "mood": {"candidates": ["bad"]},
        "question_2": {"certain": ["Preis"], "possible": []},
    }
    together = json.loads(rendered_together(SPACE, [labels]))["answers"][0]
    assert answer_of(SPACE, _set(read_entry(together, SPACE, Strategy.ALL))) == labels


def _set(found: Any) -> CandidateSet:
    return CandidateSet(found.labels, (), found.certain)
