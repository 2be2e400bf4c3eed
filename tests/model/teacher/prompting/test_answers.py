"""The parser: what is asked for comes back (I13), nothing is ever invented (I14), repairs only where certain."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from model.labels import Label, LabelSpace
from model.teacher.base import State
from model.teacher.prompting.answers import Parsed, json_values, parse, parse_cut_off, render
from model.teacher.prompting.label_names import normal
from model.teacher.prompting.prompts import Strategy

TREC = LabelSpace.of(["ABBR", "DESC", "ENTY", "HUM", "LOC", "NUM"])
TONE = LabelSpace.of(["toxic", "non-toxic", "very toxic", "card_arrival"])
NASTY = (
    "toxic",
    "non-toxic",
    "Toxic",
    "TOXIC",
    "a",
    "A",
    "a b",
    "a, b",
    '"a"',
    "😀",
    "😀😀",
    "1.",
    "- a",
    "none",
    "[a]",
    "not a",
    "a and b",
    "ﬁ",
    "fi",
    "é",
    "e\u0301",
    "I'm sorry",
    "null",
    "{}",
    "no",
    "c++",
    "c",
    "c#",
)

names = st.lists(st.one_of(st.sampled_from(NASTY), st.text(min_size=1, max_size=12).filter(str.strip)),
                 min_size=2, max_size=8, unique=True)  # fmt: skip


@given(names, st.data())
def test_what_is_rendered_is_parsed_for_every_ordered_subset(labels: list[str], data: st.DataObject) -> None:
    space = LabelSpace.of(labels)
    subset = data.draw(st.lists(st.sampled_from(labels), min_size=1, unique=True))
    assert parse(render(subset), space) == Parsed(State.ANSWERED, tuple(subset))


@given(names, st.one_of(st.binary(max_size=300), st.text(max_size=300)))
@example(["a", "b"], "[" * 100_000)
@example(["a", "b"], '{"a": ' * 50_000)
@example(["a", "b"], '{"candidates": ' + "9" * 10_000 + "}")
@example(["a", "b"], '{"a": NaN, "b": Infinity}')
@example(["a", "b"], '{"a": ' + "9" * 400 + ', "b": 1}')
@example(["a", "b"], '{"a": 1e999, "b": -1e999}')
@example(["a", "b"], "\ud800 a")
def test_arbitrary_answers_give_known_labels_or_a_state(labels: list[str], raw: str | bytes) -> None:
    space = LabelSpace.of(labels)
    for strategy in Strategy:
        found = parse(raw, space, strategy)
        assert set(found.labels) <= set(space.names)
        assert len(set(found.labels)) == len(found.labels)
        assert bool(found.labels) == (found.state is State.ANSWERED)
        assert found.labels or found.reason


json_like = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.sampled_from(["ABBR", "num", "Paris", ""])),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(
        ["candidates", "labels", "label", "NUM", "x"]), inner, max_size=3)), max_leaves=12)  # fmt: skip


@given(st.lists(json_like, max_size=3), st.sampled_from(["", " and ", "\n```json\n", "Sure: "]))
def test_any_json_gives_known_labels_or_a_state(values: list[object], between: str) -> None:
    found = parse(between.join(json.dumps(value) for value in values), TREC)
    assert set(found.labels) <= set(TREC.names)
    assert bool(found.labels) == (found.state is State.ANSWERED)


@pytest.mark.parametrize(
    ("raw", "labels"),
    [
        ('{"candidates": ["NUM", "DESC"]}', ["NUM", "DESC"]),
        ('{"candidates": ["NUM", "NUM"]}', ["NUM"]),
        ('```json\n{"candidates": ["NUM"]}\n```', ["NUM"]),
        ('Sure!\n```json\n{"labels": ["num", "Desc."]}\n``` as asked', ["NUM", "DESC"]),
        ('["LOC"]', ["LOC"]),
        ('"LOC"', ["LOC"]),
        ('{"label": "HUM"}', ["HUM"]),
        ('{"candidates": "NUM, DESC"}', ["NUM", "DESC"]),
        ('{"candidates": [{"label": "NUM"}, {"label": "LOC"}]}', ["NUM", "LOC"]),
        ('{"NUM": 0.2, "LOC": 0.7, "HUM": 0}', ["LOC", "NUM"]),
        ('{"candidates": ["NUM", "Paris"]}', ["NUM"]),
        ('{"candidates": ["NUM"]} {"candidates": ["NUM"]}', ["NUM"]),
        ("- NUM\n- DESC", ["NUM", "DESC"]),
        ("1. NUM\n2) LOC\n", ["NUM", "LOC"]),
        ("NUM", ["NUM"]),
        ("“num”.", ["NUM"]),
        ("**NUM** or **LOC**", ["NUM", "LOC"]),
        ("It asks for a date, so NUM, perhaps DESC.", ["NUM", "DESC"]),
        ("This is NUM rather than DESC.", ["NUM"]),
        ("It is not LOC, it isn't HUM. NUM.", ["NUM"]),
        ("ＮＵＭ", ["NUM"]),
        ('<think>LOC? No, a date.</think>\n{"candidates": ["NUM"]}', ["NUM"]),
    ],
)
def test_certain_answers_are_read(raw: str, labels: list[str]) -> None:
    found = parse(raw, TREC)
    assert (found.state, list(found.labels)) == (State.ANSWERED, labels)


@pytest.mark.parametrize(
    "raw",
    ["", "   ", "Paris", '{"candidates": ["Paris"]}', '{"candidates": ["NU', "{", "[1, 2]", "42", "null", "true",
     '{"candidates": ["NUM"]} {"candidates": ["LOC"]}', '{"thoughts": "NUM"}', "NUMBER", "ENUM",
     "<think>NUM or LOC, let me see"],
)  # fmt: skip
def test_uncertain_answers_are_not_guessed(raw: str) -> None:
    found = parse(raw, TREC)
    assert found.state is State.UNPARSED
    assert found.reason


@pytest.mark.parametrize(
    "raw",
    ['{"candidates": []}', '{"candidates": null}', "[]", "{\"candidates\": [\"none of these\"]}", "None of these.",
     "I'm sorry, but I cannot label this.", "No label fits.", "I can't help with that; NUM is out of the question."],
)  # fmt: skip
def test_declining_is_an_abstention(raw: str) -> None:
    assert parse(raw, TREC).state is State.ABSTAINED


def test_labels_within_labels() -> None:
    assert parse("non-toxic", TONE).labels == ("non-toxic",)
    assert parse("The text is very toxic, I think", TONE).labels == ("very toxic",)
    assert parse("toxic, non-toxic", TONE).labels == ("toxic", "non-toxic")
    assert parse("Card arrival", TONE).labels == ("card_arrival",)


def test_titles_name_their_label_only_where_unambiguous() -> None:
    space = LabelSpace((Label("1", "Refund"), Label("2", "Card"), Label("3", "Card")))
    assert parse('{"candidates": ["refund"]}', space).labels == ("1",)
    assert parse('{"candidates": ["Card"]}', space).state is State.UNPARSED


def test_case_decides_only_where_labels_differ_by_it() -> None:
    space = LabelSpace.of(["US", "us", "them"])
    assert parse("US", space).labels == ("US",)
    assert parse("Us", space).state is State.UNPARSED
    assert parse("THEM", space).labels == ("them",)
    assert parse("so I said US", space).labels == ("US",)


def test_short_labels_count_in_running_text_only_in_their_case() -> None:
    space = LabelSpace.of(["A", "B"])
    assert parse("This is a hard one, b it so. B", space).labels == ("B",)


def test_single_takes_the_first_and_counts_the_rest() -> None:
    found = parse('{"candidates": ["NUM", "LOC", "HUM"]}', TREC, Strategy.SINGLE)
    assert (found.labels, found.overflow) == (("NUM",), 2)
    assert parse('{"candidates": ["NUM"]}', TREC, Strategy.SINGLE).overflow == 0


@pytest.mark.parametrize(
    ("raw", "strategy", "labels"),
    [
        ('{"candidates": ["NUM", "LOC", "NUM", "LO', Strategy.ALL, ("NUM", "LOC")),  # it repeats itself
        ('{"candidates": ["NUM", "LOC", "HUM", "EN', Strategy.ALL, ("NUM", "LOC")),  # more than are wanted
        ('{"candidates": ["NUM", "LO', Strategy.SINGLE, ("NUM",)),
        ('["NUM", "NUM", ', Strategy.ALL, ("NUM",)),
        ('{"candidates": ["NUM", "LO', Strategy.ALL, None),  # who knows what would have come
        ('{"candidates": ["NU', Strategy.SINGLE, None),
        ('{"candidates": ["NUM", "Paris", "NUM", "', Strategy.ALL, None),
        ('Let me see. "NUM", "NUM" or', Strategy.SINGLE, None),
        ('{"answers": [{"text": 1, "candidates": ["NUM", "NUM"', Strategy.ALL, None),
    ],
)
def test_of_a_cut_off_list_only_what_is_certain_counts(raw: str, strategy: Strategy, labels: Any) -> None:
    found = parse_cut_off(raw, TREC, strategy, 2)
    assert (found and found.labels) == labels


def test_unknown_labels_are_named() -> None:
    found = parse('{"candidates": ["NUM", "Paris", "Rome"]}', TREC)
    assert found.unknown == ("Paris", "Rome")
    assert "Paris" in found.reason


def test_json_is_found_inside_text() -> None:
    assert json_values('a {"x": 1} b [2] c') == ([{"x": 1}, [2]], False)
    assert json_values("nothing") == ([], False)
    assert json_values('{"cut') == ([], True)


def test_normal_form() -> None:
    assert normal(" “Card\tArrival”. ") == "card arrival"
    assert normal("ﬁne") == normal("FINE")
