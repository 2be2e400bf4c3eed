"""Which two texts a label config has compared, and that they are found again in the text of a task."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.errors import LabelingConfigError, at_command_line
from backend.label_studio.label_config import read_labeling_config
from backend.label_studio.task_text import task_query, task_text
from backend.label_studio.verdict import verdict
from backend.settings import Settings
from model.pairs import Pair
from tests.support.configs import choices, view

NLI = view(
    '<Text name="right" value="$hypothesis"/>' + choices("entailment", "neutral", "contradiction", attributes=""),
    value="$premise",
)
TWO = (
    '<View><Header value="Which answer is better?"/><Header value="$prompt"/>{}'
    '<Pairwise name="better" toName="one,two"/></View>'
)
ANSWERS = '<Text name="one" value="$answer1"/><Text name="two" value="$answer2"/>'
SEARCH = view('<Text name="doc" value="$document"/><Rating name="grade" toName="text"/>', value="$query")


def pair_of(xml: str, **options: object) -> Pair | None:
    return read_labeling_config(xml, **options).pair  # type: ignore[arg-type]


def test_two_texts_are_a_pair_and_one_is_none() -> None:
    assert pair_of(view(choices("a", "b"))) is None
    assert pair_of(NLI) == Pair(("premise", "hypothesis"), ("premise: ", "hypothesis: "))
    assert pair_of(NLI, symmetric=True) == Pair(
        ("premise", "hypothesis"), ("premise: ", "hypothesis: "), symmetric=True
    )
    assert pair_of(NLI, fields="hypothesis,premise") == Pair(("hypothesis", "premise"), ("hypothesis: ", "premise: "))
    assert pair_of(NLI, fields="premise") is None


def test_of_several_texts_the_two_that_a_pairwise_points_to() -> None:
    control = read_labeling_config(TWO.format(ANSWERS))
    assert control.pair is not None
    assert (control.pair.names, control.pair.sides, control.pair.sided) == (("answer1", "answer2"), (1, 2), True)
    text = task_text(control, {"prompt": "Why?", "answer1": "So.", "answer2": "Because."})
    assert control.pair.parts(text) == ("Why?\n\nSo.", "Why?\n\nBecause.")
    turned = TWO.format('<Text name="two" value="$answer2"/><Text name="one" value="$answer1"/>')
    found = read_labeling_config(turned).pair
    assert found is not None
    assert (found.names, found.sides) == (("answer1", "answer2"), (2, 1))
    three = view('<Text name="b" value="$b"/><Text name="c" value="$c"/>' + choices("x", "y"))
    assert pair_of(three) is None  # nobody says which two
    assert pair_of(three, fields="b,c") == Pair(("b", "c"), ("b: ", "c: "))


def test_words_of_the_config_before_a_text_tell_it_from_the_other() -> None:
    xml = view('<Text name="b" value="Claim: $claim"/>' + choices("x", "y"), value="Evidence: $text")
    control = read_labeling_config(xml)
    assert control.pair is not None
    assert control.pair.names == ("text", "b")
    text = task_text(control, {"text": "It rained.", "claim": "It was wet."})
    assert control.pair.parts(text) == ("It rained.", "It was wet.")
    unmarked = view('<Text name="b" value="$claim (said $who)"/>' + choices("x", "y"))
    assert pair_of(unmarked) is None


def test_a_query_is_the_text_of_that_name_or_what_group_says() -> None:
    assert pair_of(SEARCH) == Pair(("query", "document"), ("query: ", "document: "), query=0)
    assert pair_of(SEARCH, group="none") == Pair(("query", "document"), ("query: ", "document: "))
    assert pair_of(SEARCH, group="$document") == Pair(("query", "document"), ("query: ", "document: "), query=1)
    assert pair_of(NLI) == pair_of(NLI, group="none")


def test_a_query_may_be_a_field_that_no_text_shows() -> None:
    control = read_labeling_config(SEARCH, group="$meta.topic")
    assert control.pair == Pair(("query", "document"), ("query: ", "document: "), group="meta.topic")
    assert control.pair.searches
    assert task_query(control, {"query": "q", "document": "d", "meta": {"topic": 17}}) == "17"
    assert task_query(control, {"query": "q", "document": "d"}) == ""
    assert task_query(read_labeling_config(SEARCH), {"query": "q", "document": "d"}) == ""
    told = verdict(SEARCH, Settings(_env_file=None).for_project({"GROUP": "topic"}), at_command_line)
    assert told.to_json()["pair"] == {"texts": ["query", "document"], "symmetric": False, "query": "topic"}
    assert 'tasks with the same "topic" in their data are one query' in told.message


@pytest.mark.parametrize("options", [{"symmetric": True}, {"group": "text"}])
def test_options_about_a_pair_need_one(options: dict[str, object]) -> None:
    name = "SYMMETRIC" if "symmetric" in options else "GROUP"
    with pytest.raises(LabelingConfigError, match=f'{name} is about two texts.*"text"'):
        pair_of(view(choices("a", "b")), **options)
    with pytest.raises(LabelingConfigError, match="SYMMETRIC cannot be true for a Pairwise"):
        pair_of(TWO.format(ANSWERS), symmetric=True)


def test_people_and_programs_are_told() -> None:
    found = verdict(SEARCH, Settings(_env_file=None).for_project({}), at_command_line)
    assert found.to_json()["pair"] == {"texts": ["query", "document"], "symmetric": False, "query": "query"}
    assert 'Each task is a pair, "query" and "document"; tasks with the same "query" are one query' in found.message
    symmetric = verdict(NLI, Settings(_env_file=None).for_project({"SYMMETRIC": True}), at_command_line)
    assert '"premise" and "hypothesis", whose order does not matter' in symmetric.message


WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\u2028\u2029"), max_size=40)


@given(premise=WORDS, hypothesis=WORDS)
def test_both_texts_are_found_again(premise: str, hypothesis: str) -> None:
    control = read_labeling_config(NLI)
    assert control.pair is not None
    text = task_text(control, {"premise": premise, "hypothesis": hypothesis})
    assert control.pair.parts(text) == (premise.strip(), hypothesis.strip())


def test_a_cross_encoder_needs_two_texts_and_one_right_label() -> None:
    settings = Settings(_env_file=None)
    options = {"CROSS_ENCODER": "true"}
    found = verdict(NLI, settings.for_project(options), at_command_line)
    assert found.outcome == "full"
    assert any("a cross-encoder is tried" in sentence for sentence in found.sentences)
    for xml, more, needed in (
        (view(choices("a", "b")), {}, "CROSS_ENCODER is about two texts that are compared"),
        (NLI, {"MODE": "committee"}, "CROSS_ENCODER needs MODE=student, and it is committee"),
        (NLI, {"STUDENT_TRAINING": "finetune"}, "CROSS_ENCODER needs STUDENT_TRAINING=auto or head"),
        (NLI.replace("<Choices ", '<Choices choice="multiple" '), {"ANSWER": "several"}, "one question with one right"),
    ):
        refused = verdict(xml, settings.for_project({**options, **more}), at_command_line)
        assert refused.outcome == "refused"
        assert needed in refused.sentences[0]
