"""The offline similarity teacher: deterministic, bounded, right about easy texts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.group_answers import answer_of
from model.groups import Group, When
from model.labels import Label, LabelSpace, readable
from model.teacher.base import State
from model.teacher.similarity import NAME, SimilarityTeacher, phrasings, similarity_hash
from tests.support.embedding import embed_words

SPACE = LabelSpace((Label("card_arrival"), Label("exchange_rate", hint="money abroad"), Label("lost_phone")))


def test_the_nearest_label_comes_first_and_hints_count() -> None:
    answers = SimilarityTeacher(SPACE, embed_words).shortlist(["my card arrival", "money abroad"])
    assert [answer.candidates.top for answer in answers if answer.candidates] == ["card_arrival", "exchange_rate"]
    assert all(answer.state is State.ANSWERED and answer.usage.calls == 0 for answer in answers)


@given(st.lists(st.text(max_size=40), min_size=1, max_size=5), st.integers(1, 3), st.floats(0.05, 1.0))
def test_a_set_is_the_smallest_that_holds_the_mass(texts: list[str], limit: int, mass: float) -> None:
    teacher = SimilarityTeacher(SPACE, embed_words, limit, mass=mass)
    for text, answer in zip(texts, teacher.shortlist(texts), strict=True):
        if answer.candidates is None:
            assert not any(character.isalnum() for character in text)
            continue
        confidences = answer.candidates.confidences
        assert len(confidences) <= limit
        assert list(confidences) == sorted(confidences, reverse=True)
        assert sum(confidences[:-1]) < mass + 1e-3
        assert sum(confidences) >= mass - 1e-3 or len(confidences) == limit


def test_an_answer_does_not_depend_on_the_other_texts() -> None:
    teacher = SimilarityTeacher(SPACE, embed_words)
    texts = ["card", "rate of the phone", "lost"]
    assert teacher.shortlist(texts) == [teacher.shortlist([text])[0] for text in texts]


def test_probabilities_sum_to_one_and_labels_are_embedded_once() -> None:
    calls: list[int] = []

    def embed(texts):  # type: ignore[no-untyped-def]
        calls.append(len(texts))
        return embed_words(texts)

    teacher = SimilarityTeacher(SPACE, embed)
    np.testing.assert_allclose(teacher.probabilities(["a", "b"]).sum(axis=1), 1, rtol=1e-5)
    teacher.shortlist(["c"])
    assert sorted(calls) == [1, 2, 8]


def test_a_text_without_words_is_abstained_from() -> None:
    answers = SimilarityTeacher(SPACE, embed_words).shortlist(["", "?!", "lost phone"])
    assert [answer.state for answer in answers] == [State.ABSTAINED, State.ABSTAINED, State.ANSWERED]
    assert answers[0].reason == "the text has no words"


def test_all_labels_are_flagged() -> None:
    answer = SimilarityTeacher(SPACE, embed_words, mass=1.0).shortlist(["x"])[0]
    assert answer.reason == "all labels: says nothing"


def test_nothing_to_ask() -> None:
    teacher = SimilarityTeacher(SPACE, embed_words)
    assert teacher.shortlist([]) == []
    assert (teacher.paid, teacher.fast, teacher.upper_bound_microusd(["a"])) == (False, True, 0)
    assert teacher.name == NAME == "offline similarity teacher (no LLM)"


@pytest.mark.parametrize("wrong", [{"max_candidates": 0}, {"temperature": 0.0}, {"mass": 0.0}, {"mass": 1.1}])
def test_senseless_numbers_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        SimilarityTeacher(SPACE, embed_words, **wrong)  # type: ignore[arg-type]


def test_the_hash_covers_what_shapes_answers() -> None:
    teacher = SimilarityTeacher(SPACE, embed_words, 5)
    assert teacher.hash == similarity_hash(5)
    assert len({similarity_hash(5), similarity_hash(4), similarity_hash(5, "other"), similarity_hash(5, mass=0.9)}) == 4


@pytest.mark.parametrize(
    ("name", "words"),
    [("card_arrival", "card arrival"), ("MeanOfTransportation", "Mean Of Transportation"), ("Sci/Tech", "Sci Tech"),
     ("a-b__c", "a b c"), ("___", "___"), ("EU", "EU")],
)  # fmt: skip
def test_names_become_words(name: str, words: str) -> None:
    assert readable(name) == words


def test_phrasings_of_a_label() -> None:
    assert phrasings(Label("a_b")) == ["a b", "This text is about a b."]
    assert phrasings(Label("x", title="Long Name", hint="what it is"))[2:] == ["what it is", "Long Name: what it is"]


def test_on_the_bundled_encoder() -> None:
    from model.encoder.encoder import load_encoder

    space = LabelSpace.of(["sports", "cooking", "banking"])
    texts = ["They won the match in extra time.", "Simmer the onions in butter.", "My transfer has not been booked."]
    answers = SimilarityTeacher(space, load_encoder().embed).shortlist(texts)
    assert [answer.candidates.top for answer in answers if answer.candidates] == list(space.names)


def test_where_several_labels_may_be_right_the_likely_ones_are_certain() -> None:
    names = ("billing", "shipping")
    space = LabelSpace(tuple(Label(name) for name in names), "", "several", 0)
    (answer,) = SimilarityTeacher(space, embed_words).shortlist(["billing"])
    assert answer.candidates is not None
    assert answer.candidates.certain == ("billing",)


def test_several_questions_are_answered_each_from_its_own_labels_and_only_where_they_are_asked() -> None:
    names = ("topic=sports", "topic=cooking", "dish=pasta", "dish=soup")
    groups = (Group("topic", "one", 0, 2), Group("dish", "any", 2, 4, 0, (When(("topic=cooking",)),)))
    space = LabelSpace(tuple(Label(name, name.partition("=")[2]) for name in names), "", "several", 1, groups)
    found = SimilarityTeacher(space, embed_words)
    kitchen, pitch = found.shortlist(["cooking pasta", "sports are fun"])
    assert kitchen.candidates is not None
    assert pitch.candidates is not None
    assert answer_of(space, kitchen.candidates) == ("topic=cooking", "dish=pasta")
    assert answer_of(space, pitch.candidates) == ("topic=sports",)
