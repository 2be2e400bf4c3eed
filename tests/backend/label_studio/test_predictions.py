"""Entries: both patterns and Taxonomy in both phases, checked by ourselves and by Label Studio's own validation."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from label_studio_sdk.label_interface.interface import LabelInterface

from backend.label_studio.label_config import Control, read_labeling_config
from backend.label_studio.predictions import abstained_entry, chosen_labels, is_valid, label_entry, shortlist_entry
from model.labels import CandidateSet
from tests.support.configs import CONFIG_A, CONFIG_B, TAXONOMY, choices, view

A, B, TAX = (read_labeling_config(xml) for xml in (CONFIG_A, CONFIG_B, TAXONOMY))
RATING_XML = view('<Rating name="label" toName="text" maxRating="4"/>')
PAIR_XML = view('<Pairwise name="label" toName="text,other"/><Text name="other" value="$other"/>')
RATING, PAIR = read_labeling_config(RATING_XML), read_labeling_config(PAIR_XML)
SINGLE = read_labeling_config(view(choices("x", "y", attributes='choice="single"')))
OTHERS = [(RATING, RATING_XML), (PAIR, PAIR_XML)]
VERSION = "teacher-5b0e77-9f2c1a"
TWO = CandidateSet(("billing", "refund"), (0.61, 0.3))


def ticks(*labels: str) -> dict[str, Any]:
    return {"from_name": "label", "to_name": "text", "type": "choices", "value": {"choices": list(labels)}}


def test_config_a_ticks_every_candidate() -> None:
    entry = shortlist_entry(A, VERSION, TWO, 5)
    assert entry == {"model_version": VERSION, "score": 0.61, "result": [ticks("billing", "refund")]}


def test_config_b_lists_candidates_and_ticks_the_first() -> None:
    lines = {"from_name": "candidates", "to_name": "text", "type": "textarea"}
    lines["value"] = {"text": ["billing 61 %", "refund 30 %"]}  # type: ignore[assignment]
    assert shortlist_entry(B, VERSION, TWO, 5)["result"] == [lines, ticks("billing")]
    assert shortlist_entry(B, VERSION, TWO, 5, preselect=False)["result"] == [lines]


def test_without_confidences_lines_are_bare_and_the_score_is_one_over_the_size() -> None:
    entry = shortlist_entry(B, VERSION, CandidateSet(("other", "refund")), 5)
    assert entry["result"][0]["value"] == {"text": ["other", "refund"]}
    assert entry["score"] == 0.5


def test_a_single_choice_without_area_never_gets_two() -> None:
    for preselect in (True, False):
        assert shortlist_entry(SINGLE, VERSION, CandidateSet(("y", "x")), 5, preselect)["result"] == [ticks("y")]


def test_the_limit_cuts_the_tail() -> None:
    many = CandidateSet(A.space.names, (0.4, 0.3, 0.2, 0.1))
    assert shortlist_entry(A, VERSION, many, 2)["result"] == [ticks("billing", "refund")]


def test_taxonomy_sends_paths() -> None:
    entry = shortlist_entry(TAX, VERSION, CandidateSet(("money / in", "parcel")), 5)
    assert entry["result"][0]["type"] == "taxonomy"
    assert entry["result"][0]["value"] == {"taxonomy": [["money", "in"], ["parcel"]]}


def test_the_student_ticks_one_label_in_every_pattern() -> None:
    assert label_entry(A, VERSION, "refund", 0.88)["result"] == [ticks("refund")]
    assert label_entry(B, VERSION, "refund", 0.88)["result"] == [ticks("refund")]
    listed = label_entry(B, VERSION, "refund", 0.88, preselect=False)["result"]
    assert [region["value"] for region in listed] == [{"text": ["refund 88 %"]}]
    assert label_entry(A, VERSION, "refund", 0.88, preselect=False)["result"] == [ticks("refund")]


@pytest.mark.parametrize(
    ("control", "label", "kind", "value"),
    [(RATING, "3", "rating", {"rating": 3}), (PAIR, "right", "pairwise", {"selected": "right"})],
)
def test_ratings_and_pairs_have_a_form_of_their_own(control: Control, label: str, kind: str, value: Any) -> None:
    entry = label_entry(control, VERSION, label, 0.9)
    assert entry["result"] == [{"from_name": "label", "to_name": "text", "type": kind, "value": value}]
    assert chosen_labels(control, entry["result"]) == (label,)
    assert is_valid(control, {**entry, "result": [{**entry["result"][0], "value": {"rating": "3"}}]}) != ""


@pytest.mark.parametrize("value", [0, 5, 3.5, True, "3.5", "", None, math.nan, [3]])
def test_what_is_no_level_of_a_rating_is_no_label(value: object) -> None:
    region = {"from_name": "label", "to_name": "text", "type": "rating", "value": {"rating": value}}
    assert chosen_labels(RATING, [region]) == ()
    assert is_valid(RATING, {**label_entry(RATING, VERSION, "1", 0.5), "result": [region]}) != ""


@given(st.data())
def test_whatever_we_build_is_valid_for_us_and_for_label_studio(data: st.DataObject) -> None:
    control, xml = data.draw(st.sampled_from([(A, CONFIG_A), (B, CONFIG_B), (TAX, TAXONOMY), *OTHERS]))
    names = st.lists(st.sampled_from(control.space.names), min_size=1, unique=True)
    labels = tuple(data.draw(names))
    shares = data.draw(st.just(()) | st.tuples(*[st.floats(0, 1) for _ in labels]))
    preselect = data.draw(st.booleans())
    entries = [
        shortlist_entry(control, VERSION, CandidateSet(labels, shares), data.draw(st.integers(1, 9)), preselect),
        label_entry(control, VERSION, labels[0], data.draw(st.floats(0, 1)), preselect),
        abstained_entry(VERSION),
    ]
    interface = LabelInterface(xml)
    for entry in entries:
        assert is_valid(control, entry, VERSION) == ""
        assert interface.validate_prediction(entry, return_errors=True) == []


def wrong(control: Control, **changes: Any) -> dict[str, Any]:
    return {**label_entry(control, VERSION, control.space.names[0], 0.5), **changes}


def region(**changes: Any) -> list[dict[str, Any]]:
    return [{**ticks("billing"), **changes}]


WRONG: list[tuple[str, Any, str]] = [
    ("unknown label", wrong(A, result=[ticks("Billing")]), "label 'Billing' is not in the label space"),
    ("label of the wrong type", wrong(A, result=[ticks(7)]), "not in the label space"),  # type: ignore[arg-type]
    ("path instead of a label", wrong(A, result=region(value={"choices": [["billing"]]})), "not in the label space"),
    ("unknown from_name", wrong(A, result=region(from_name="gone")), "there is no control 'gone'"),
    ("no from_name", wrong(A, result=[{"value": {}}]), "points to"),
    ("unknown to_name", wrong(A, result=region(to_name="gone")), "points to 'gone'"),
    ("wrong type", wrong(A, result=region(type="labels")), "has no choices of type choices"),
    ("value no object", wrong(A, result=region(value="billing")), "has no value"),
    ("choices a string", wrong(A, result=region(value={"choices": "billing"})), "has no choices of type choices"),
    ("no choices", wrong(A, result=region(value={"choices": []})), "has no choices of type choices"),
    ("doubled label", wrong(A, result=[ticks("billing", "billing")]), "ticked twice"),
    ("B: two on a single choice", wrong(B, result=[ticks("billing", "refund")]), "2 labels for .*which takes one"),
    ("two regions of one control", wrong(A, result=[ticks("billing"), ticks("refund")]), "two regions"),
    ("region no object", wrong(A, result=["billing"]), "no object"),
    ("score too large", wrong(A, score=7.5), r"not in \[0, 1\]"),
    ("score negative", wrong(A, score=-0.1), r"not in \[0, 1\]"),
    ("score a string", wrong(A, score="high"), "the score is str"),
    ("score NaN", wrong(A, score=math.nan), r"not in \[0, 1\]"),
    ("score infinite", wrong(A, score=math.inf), r"not in \[0, 1\]"),
    ("score null", wrong(A, score=None), "the score is NoneType"),
    ("score a truth value", wrong(A, score=True), "the score is bool"),
    ("result a string", wrong(A, result="billing"), "the result is str"),
    ("result an object", wrong(A, result={"choices": ["billing"]}), "the result is dict"),
    ("result null", wrong(A, result=None), "the result is NoneType"),
    ("no result", {"model_version": VERSION, "score": 0.5}, "the result is NoneType"),
    ("entry null", None, "an entry is NoneType"),
    ("entry a string", "billing", "an entry is str"),
    ("entry a list", [], "an entry is list"),
    ("no version", wrong(A, model_version=None), "the version is 'None'"),
    ("empty version", wrong(A, model_version=""), "the version is ''"),
    ("version a number", wrong(A, model_version=3), "the version is '3'"),
    ("another version", wrong(A, model_version="teacher-1"), "the version is 'teacher-1'"),
    (
        "B: text area a string",
        wrong(B, result=region(from_name="candidates", type="textarea", value={"text": "billing 61 %"})),
        "not a list of lines",
    ),
    ("T: unknown path", wrong(TAX, result=[]) | {"result": [
        {"from_name": "tax", "to_name": "text", "type": "taxonomy", "value": {"taxonomy": [["parcel", "in"]]}}
    ]}, "not in the label space"),
    ("T: bare name", wrong(TAX, result=[]) | {"result": [
        {"from_name": "tax", "to_name": "text", "type": "taxonomy", "value": {"taxonomy": ["parcel"]}}
    ]}, "has no taxonomy of type taxonomy"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "entry", "problem"), WRONG, ids=[row[0] for row in WRONG])
def test_every_wrong_row_is_stopped(name: str, entry: Any, problem: str) -> None:
    control = {"B": B, "T": TAX}.get(name.partition(":")[0], A)
    assert re.search(problem, is_valid(control, entry, VERSION))


def test_the_alias_is_sent_not_the_value() -> None:
    control = read_labeling_config(view('<Choices name="label" toName="text"><Choice value="A" alias="a"/>'
                                        '<Choice value="B"/></Choices>'))  # fmt: skip
    assert is_valid(control, label_entry(control, VERSION, "a", 1.0)) == ""
    assert "'A' is not in" in is_valid(control, wrong(control, result=[ticks("A")]))


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text() | st.integers(),
                    lambda inner: st.lists(inner) | st.dictionaries(
                        st.sampled_from(["result", "score", "model_version", "from_name", "to_name", "type", "value",
                                         "choices", "text"]), inner)))  # fmt: skip
def test_the_check_survives_anything(entry: Any) -> None:
    assert isinstance(is_valid(A, entry), str)


MANY_XML = view(
    choices("bad", "good", name="mood", attributes="")
    + choices("price", "driver", name="topics", attributes='choice="multiple" answer="several"')
    + choices("x", "y", "z", name="short", attributes='choice="multiple" answer="one"')
    + choices(
        "late", "lost", name="why", attributes='visibleWhen="choice-selected" whenTagName="mood" whenChoiceValue="bad"'
    )
    + '<Rating name="stars" toName="text" maxRating="3"/>'
)
MANY = read_labeling_config(MANY_XML)


def shown(*names: str, possible: tuple[str, ...] = ()) -> dict[str, object]:
    """What is filled in, by question, after the checks of ours and of Label Studio."""
    entry = shortlist_entry(MANY, VERSION, CandidateSet(names + possible, (), names), 2)
    assert is_valid(MANY, entry, VERSION) == ""
    assert not LabelInterface(MANY_XML).validate_prediction(entry, return_errors=True)
    return {region["from_name"]: next(iter(region["value"].values())) for region in entry["result"]}


def test_several_questions_have_a_region_each_and_only_what_is_asked() -> None:
    found = shown(
        "topics=price", "stars=2", "why=lost", possible=("mood=bad", "mood=good", "short=y", "short=x", "short=z")
    )
    assert found == {"mood": ["bad"], "topics": ["price"], "short": ["y", "x"], "stars": 2, "why": ["lost"]}
    assert shown("mood=good", "why=late") == {"mood": ["good"]}
    assert shown(possible=("topics=price", "topics=driver")) == {}  # possible is not ticked


@pytest.mark.parametrize(
    "wrong", [{"from_name": "topics"}, {"from_name": "gone"}, {"to_name": "other"}, {"value": {"choices": ["price"]}}]
)
def test_a_region_of_a_question_must_be_its_own(wrong: dict[str, object]) -> None:
    entry = shortlist_entry(MANY, VERSION, CandidateSet(("mood=bad",), (), ("mood=bad",)), 5)
    assert is_valid(MANY, {**entry, "result": [{**entry["result"][0], **wrong}]})


def test_what_people_answer_is_read_question_by_question() -> None:
    regions = [
        {"from_name": "mood", "type": "choices", "value": {"choices": ["bad"]}},
        {"from_name": "topics", "type": "choices", "value": {"choices": ["driver", "bad"]}},
        {"from_name": "stars", "type": "rating", "value": {"rating": 3}},
    ]
    assert chosen_labels(MANY, regions) == ("mood=bad", "topics=driver", "stars=3")


TICKED_XML = view(
    choices("bad", "good", name="mood", attributes="")
    + choices("urgent", name="flag", attributes="")
    + choices("rude", name="tone", attributes='visibleWhen="choice-selected" whenTagName="mood" whenChoiceValue="bad"')
    + '<Number name="share" toName="text" min="0" max="3"/>'
)
TICKED = read_labeling_config(TICKED_XML)


def test_a_single_choice_is_ticked_or_left_and_a_number_is_a_number() -> None:
    names = ("mood=bad", "flag=urgent", "tone=not rude", "share=2")
    entry = shortlist_entry(TICKED, VERSION, CandidateSet(names, (), names), 5)
    assert is_valid(TICKED, entry, VERSION) == ""
    assert not LabelInterface(TICKED_XML).validate_prediction(entry, return_errors=True)
    found = {region["from_name"]: region["value"] for region in entry["result"]}
    assert found == {"mood": {"choices": ["bad"]}, "flag": {"choices": ["urgent"]}, "share": {"number": 2}}
    assert set(chosen_labels(TICKED, entry["result"])) == set(names)
    good = [{"from_name": "mood", "value": {"choices": ["good"]}}]
    assert chosen_labels(TICKED, good) == ("mood=good", "flag=not urgent")  # the tone was not asked for
    assert chosen_labels(TICKED, []) == ()  # nothing was answered
    renamed = [*good, {"from_name": "flag", "value": {"choices": ["hurry"]}}]
    assert chosen_labels(TICKED, renamed) == ("mood=good",)  # another label of the flag was ticked
    gate = choices("nature", name="gate", attributes="")
    behind = choices("a", "b", name="kind", attributes='visibleWhen="choice-selected" whenTagName="gate"')
    assert chosen_labels(read_labeling_config(view(gate + behind)), []) == ("gate=not nature",)  # all that was asked
    assert is_valid(TICKED, {**entry, "result": [{**entry["result"][1], "value": {"choices": ["not urgent"]}}]})
