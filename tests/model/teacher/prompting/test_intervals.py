"""What a teacher says where several labels may be right, well and badly put."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.labels import Label, LabelSpace
from model.teacher.base import State
from model.teacher.prompting.intervals import parse_interval, render_interval
from model.teacher.prompting.prompts import Prompt, Strategy

LABELS = tuple(Label(name) for name in ("billing", "late delivery", "broken", "other"))
SPACE, WANTED = LabelSpace(LABELS, "", "several", 0), LabelSpace(LABELS, "", "several", 1)
labels = st.lists(st.sampled_from(SPACE.names), unique=True)


@given(labels, labels)
def test_what_is_asked_for_is_read_as_it_was_meant(certain: list[str], possible: list[str]) -> None:
    found = parse_interval(render_interval(certain, possible), SPACE)
    assert found.state is State.ANSWERED
    assert found.certain == tuple(certain)
    assert found.labels == (*certain, *(name for name in possible if name not in certain))


@given(st.one_of(st.binary(max_size=200), st.text(max_size=200)))
def test_anything_gives_known_labels_or_a_state(raw: str | bytes) -> None:
    found = parse_interval(raw, SPACE)
    assert set(found.labels) <= set(SPACE.names)
    assert (found.certain is not None) == (found.state is State.ANSWERED)
    assert found.certain is None or found.labels[: len(found.certain)] == found.certain


@pytest.mark.parametrize(
    ("raw", "certain", "possible"),
    [
        ('{"certain": ["billing"], "possible": ["billing", "broken"]}', ["billing"], ["broken"]),
        ('```json\n{"certain": ["Billing", "nonsense"], "possible": null}\n```', ["billing"], []),
        ('<think>late delivery?</think>{"certain": [], "possible": ["broken"]}', [], ["broken"]),
        ('{"candidates": ["billing", "broken"]}', [], ["billing", "broken"]),
        ('["billing"]', [], ["billing"]),
        ("certain: billing, broken\npossible: none", ["billing", "broken"], []),
        ("**Certain:** billing\n**Possible:** late delivery", ["billing"], ["late delivery"]),
        ("billing\nbroken", [], ["billing", "broken"]),
        ('{"certain": [], "possible": []}', [], []),
    ],
)
def test_forms_of_an_answer(raw: str, certain: list[str], possible: list[str]) -> None:
    found = parse_interval(raw, SPACE)
    assert found.state is State.ANSWERED
    assert (list(found.certain or ()), list(found.labels[len(found.certain or ()) :])) == (certain, possible)


def test_a_list_without_keys_is_certain_where_only_that_was_asked_for() -> None:
    found = [parse_interval('["billing", "broken"]', SPACE, how).certain for how in Strategy]
    assert found == [("billing", "broken"), ("billing",), ()]


@pytest.mark.parametrize(
    ("raw", "state"),
    [
        ('{"certain": [], "possible": []}', State.ABSTAINED),
        ('{"certain": ["nonsense"], "possible": []}', State.UNPARSED),
        ('{"certain": {"x": []}, "possible": []}', State.UNPARSED),
        ('{"certain": ["billing"]} {"certain": ["broken"]}', State.UNPARSED),
        ('{"certain": ["billing", ', State.UNPARSED),
        ("I cannot help with that.", State.ABSTAINED),
        ("", State.UNPARSED),
    ],
)
def test_what_is_no_answer_where_one_label_at_least_is_wanted(raw: str, state: State) -> None:
    assert parse_interval(raw, WANTED).state is state


def test_an_answer_that_was_cut_off_counts_only_where_its_json_is_whole() -> None:
    whole = render_interval(["billing"])
    assert parse_interval(whole + "\n\n", SPACE, truncated=True).certain == ("billing",)
    assert parse_interval(whole[:-6], SPACE, truncated=True).state is State.UNPARSED
    assert parse_interval("certain: billing", SPACE, truncated=True).state is State.UNPARSED


def test_all_labels_possible_and_none_certain_says_nothing() -> None:
    assert parse_interval(render_interval([], SPACE.names), SPACE).reason == "all labels: says nothing"


@pytest.mark.parametrize("strategy", Strategy)
def test_the_prompt_asks_for_both_lists_and_bounds_them(strategy: Strategy) -> None:
    prompt = Prompt(SPACE, strategy, 3)
    told, schema = prompt.system(), prompt.schema()
    assert "all of 4 labels that apply" in told
    assert "one of" not in told
    assert '{"certain": ["..."], "possible": ["..."]}' in told
    assert "If no label applies, both lists are empty." in told
    assert "At least one label applies." in Prompt(WANTED, strategy, 3).system()
    assert set(schema["required"]) == {"certain", "possible"}
    together = prompt.schema(together=2)["properties"]["answers"]["items"]
    assert set(together["required"]) == {"text", "certain", "possible"}
    assert json.dumps(SPACE.names[0]) in prompt.reminder()
    assert prompt.hash != Prompt(LabelSpace(LABELS), strategy, 3).hash
