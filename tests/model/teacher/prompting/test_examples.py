"""Few-shot examples: near, balanced by policy, never the text itself; and labels shown for large label spaces."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.labels import Label, LabelSpace
from model.teacher.errors import TeacherRefused
from model.teacher.prompting.composing import Composer, composed_hash, likely_sent, most_sent
from model.teacher.prompting.examples import Example, Examples
from model.teacher.prompting.narrowing import LONGEST_LIST, SHOWN, Narrowing, shown_labels
from model.teacher.prompting.prompts import Prompt, Strategy
from model.text_groups import same
from tests.support.embedding import embed_words

SPACE = LabelSpace.of(["sport", "food", "bank"])
POOL = [Example("the match was won", "sport"), Example("fry the onions", "food"), Example("my card is lost", "bank"),
        Example("bake the bread", "food"), Example("the transfer is late", "bank")]  # fmt: skip
PROMPT = Prompt(SPACE, Strategy.ALL, 2)


def test_the_nearest_stands_next_to_the_question() -> None:
    (found,) = Examples(POOL, embed_words, 2).nearest(["my transfer is late"])
    assert [example.label for example in found] == ["bank", "bank"]
    assert found[-1].text == "the transfer is late"


words = st.text("ab c", min_size=1, max_size=6)


@given(st.lists(words, max_size=8), st.lists(words, min_size=1, max_size=4), st.integers(0, 5))
def test_a_text_is_never_its_own_example(pool: list[str], texts: list[str], count: int) -> None:
    examples = Examples([Example(text, "sport") for text in pool], embed_words, count)
    for text, found in zip(texts, examples.nearest(texts), strict=True):
        assert len(found) <= count
        assert same(text) not in {same(example.text) for example in found}


def test_equal_after_normalisation_counts_as_itself() -> None:
    examples = Examples([Example("My  CARD is lost", "bank")], embed_words)
    assert examples.nearest(["my card is lost"]) == [[]]


def test_people_replace_generated_examples_label_by_label() -> None:
    pool = [Example("made up", "food", human=False), Example("made up too", "sport", human=False), *POOL[1:2]]
    examples = Examples(pool, embed_words, 9)
    assert {example.text for example in examples.fixed()} == {"fry the onions", "made up too"}


def test_the_latest_decision_about_a_text_holds_and_twins_go() -> None:
    pool = [Example("a b c d", "food"), Example("A b c d", "bank"), Example("x y z", "bank"), Example("z y x", "bank")]
    assert [(example.text, example.label) for example in Examples(pool, embed_words).fixed()] == [
        ("z y x", "bank"), ("A b c d", "bank")]  # fmt: skip


def test_fixed_examples_go_round_the_labels() -> None:
    labels = [example.label for example in Examples(POOL, embed_words, 4).fixed()]
    assert sorted(labels[:3]) == ["bank", "food", "sport"]
    assert len(labels) == 4


def test_an_empty_pool_gives_none() -> None:
    assert Examples([], embed_words).nearest(["a"]) == [[]]
    assert Examples([], embed_words).fixed() == []
    assert len(Examples([], embed_words)) == 0


def test_examples_are_turns_before_the_text() -> None:
    (request,) = Composer(PROMPT, Examples(POOL, embed_words, 2)).requests(["my transfer is late"])
    assert [turn.role for turn in request.turns] == ["user", "assistant"] * 2 + ["user"]
    assert request.turns[3].text == '{"candidates": ["bank"]}'
    assert request.stable == 0
    (fixed,) = Composer(PROMPT, Examples(POOL, embed_words, 2, fixed=True)).requests(["x"])
    assert fixed.stable == 4


def test_texts_asked_together_see_examples_in_the_form_of_the_question() -> None:
    asked = ["my transfer is late", "bake bread"]
    near = Composer(PROMPT, Examples(POOL, embed_words, 3)).together(asked)
    assert [turn.role for turn in near.turns] == ["user", "assistant", "user"]
    shown, said, question = (turn.text for turn in near.turns)
    assert [row["text"] for row in json.loads(said)["answers"]] == [1, 2, 3]
    assert shown.count("Text ") == 3
    assert shown.index("the transfer is late") > shown.index("my card is lost")  # the nearest stands last
    assert "Text 2:\n<text>\nbake bread" in question
    assert near.stable == 0
    fixed = Composer(PROMPT, Examples(POOL, embed_words, 2, fixed=True)).together(asked)
    assert (len(fixed.turns), fixed.stable) == (3, 2)
    assert len(Composer(PROMPT, Examples([], embed_words)).together(asked).turns) == 1


@given(st.lists(words, max_size=8), st.lists(words, min_size=1, max_size=4), st.integers(0, 5))
def test_no_text_of_a_group_is_an_example_for_it(pool: list[str], texts: list[str], count: int) -> None:
    found = Examples([Example(text, "sport") for text in pool], embed_words, count).nearest_to_any(texts)
    assert len(found) == len(set(found)) <= count
    assert not {same(text) for text in texts} & {same(example.text) for example in found}


def test_only_near_labels_are_shown_in_the_order_of_the_space() -> None:
    narrowing = Narrowing(SPACE, embed_words, 2)
    composer = Composer(PROMPT, narrowing=narrowing)
    first, second = composer.requests(["bank sport", "food"])
    assert first.schema["properties"]["candidates"]["items"]["enum"] == ["sport", "bank"]
    assert '"food"' in second.system
    assert '"food"' not in first.system


def test_how_many_labels_are_shown() -> None:
    small, hint = LabelSpace.of(["a", "b"]), "word " * 60
    large = LabelSpace(tuple(Label(f"label {number}", hint=hint) for number in range(LONGEST_LIST // 60)))
    assert shown_labels(small) == 2
    assert shown_labels(large) == SHOWN
    assert shown_labels(large, "off") == len(large)
    assert shown_labels(large, "7") == 7
    assert shown_labels(small, "7") == 2
    with pytest.raises(TeacherRefused, match="auto, off"):
        shown_labels(small, "few")


@given(st.text(max_size=300))
def test_bounds_are_above_estimates(text: str) -> None:
    (request,) = Composer(PROMPT, Examples(POOL, embed_words, 3)).requests([text])
    assert most_sent(request) >= likely_sent(request) - 10


def test_the_hash_is_that_of_the_policy_not_of_the_examples() -> None:
    def hashed(pool: list[Example], count: int = 3) -> str:
        return Composer(PROMPT, Examples(pool, embed_words, count)).hash

    assert hashed(POOL) == hashed(POOL[:1]) == composed_hash(PROMPT, "nearest", 3, "auto", None)
    assert len({hashed(POOL), hashed(POOL, 4), Composer(PROMPT).hash, Composer(PROMPT, temperature=0.5).hash}) == 4
    assert Composer(PROMPT, narrowing=Narrowing(SPACE, embed_words, 2)).hash == composed_hash(
        PROMPT, "none", 0, "2", None
    )
