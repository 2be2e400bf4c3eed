"""Thoughts are cut away in every form in which servers leave them, and what was only considered is no answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.labels import LabelSpace
from model.teacher.base import State
from model.teacher.prompting.answers import parse, parse_truncated
from model.teacher.prompting.prompts import Strategy
from model.teacher.prompting.thoughts import has_thoughts, without_thoughts

SPACE = LabelSpace.of(["billing", "refund", "shipping"])
RATING = LabelSpace.of("12345")
MARKS = [
    ("<think>", "</think>"), ("<thinking>", "</thinking>"), ("<thought>", "</thought>"),
    ("<seed:think>", "</seed:think>"), ("<reasoning>", "</reasoning>"), ("<reflection>", "</reflection>"),
    ("[THINK]", "[/THINK]"), ("◁think▷", "◁/think▷"),
    ("<|START_THINKING|>", "<|END_THINKING|>"), ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
    ("analysis", "assistantfinal"), ("<|inner_prefix|>", "<|inner_suffix|>"), ("<|channel>thought\n", "<channel|>"),
    ("Here is my thought process: ", "Here is my response: "),
]  # fmt: skip
ANSWERS = ["refund", '{"candidates": ["refund"]}', "<answer>refund</answer>", "**Answer:** refund", "refund<|return|>"]


@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize("answer", ANSWERS)
def test_the_answer_is_what_follows_the_last_closing_mark(mark: tuple[str, str], answer: str) -> None:
    opened, closed = mark
    thoughts = 'Maybe billing, shipping? {"candidates": ["billing"]}\nThe answer is shipping.'
    raw = f"{opened}{thoughts}{closed}\n\n{answer}"
    assert parse(raw, SPACE).labels == ("refund",)
    assert has_thoughts(raw)
    if opened != "analysis":
        assert parse(f"{thoughts}{closed}\n{answer}", SPACE).labels == ("refund",)  # the opening mark was in the prompt
    assert parse(f"{opened}{thoughts}", SPACE).state is State.UNPARSED
    assert parse_truncated(f"{opened}{thoughts}", SPACE, Strategy.ALL, 2).state is State.UNPARSED


@pytest.mark.parametrize(
    ("raw", "labels"),
    [
        ("maybe billing, shipping\n</think>\n\nrefund", ("refund",)),
        ("<think>billing</think>shipping</think>refund", ("refund",)),
        ('{"candidates": ["refund"]}\n<reflection>or billing?</reflection>', ("refund",)),
        ("refund\n<think>or billing", ("refund",)),
        ("It could be billing or shipping. The answer is refund.", ("refund",)),
        ("I looked at billing.\nI looked at shipping.\n\nrefund", ("refund",)),
        ("The label is \\boxed{refund} and not billing", ("refund",)),
        ("Billing? Shipping? Hmm.", ()),
        ("Let me see. It may be billing, or shipping", ()),
        ("Okay, so the user talks about billing\nbut also about shipping", ()),
    ],
)
def test_what_was_only_considered_does_not_count(raw: str, labels: tuple[str, ...]) -> None:
    assert parse(raw, SPACE).labels == labels


@pytest.mark.parametrize("raw", ['{"candidates":[5]}', '{"label":5}', '{"label": 5.0}', '[{"label": 5}]', "5", "5.",
                                 "Rating: 5", "The answer is **5**."])  # fmt: skip
def test_labels_may_be_numbers(raw: str) -> None:
    assert parse(raw, RATING).labels == ("5",)


@pytest.mark.parametrize(
    "raw", ["I would rate this 3 out of 5.", "4 stars", "There are 2 reasons.", "Rating: 4/5, say"]
)
def test_numbers_in_prose_are_no_labels(raw: str) -> None:
    assert parse(raw, RATING).state is State.UNPARSED


@pytest.mark.parametrize(
    ("raw", "labels"),
    [
        ("refund", ()), ("The answer is refund", ()), ("refund\nbilling", ()),
        ('{"candidates": ["refund"]}\n\nBecause billing', ("refund",)),
        ('<think>x</think>```json\n{"candidates": ["refund"]}\n``', ("refund",)),
        ('I think {"candidates": ["refund"]}', ()),
    ],
)  # fmt: skip
def test_of_an_answer_that_was_cut_off_only_json_counts(raw: str, labels: tuple[str, ...]) -> None:
    assert parse_truncated(raw, SPACE, Strategy.ALL, 2).labels == labels


@given(st.text(max_size=200))
def test_any_text_can_be_cut(text: str) -> None:
    assert without_thoughts(text) in text or has_thoughts(text)
