"""The two texts in the text of a task."""

from __future__ import annotations

from model.pairs import Pair

PAIR = Pair(("question", "answer"), ("question: ", "answer: "))


def test_both_one_or_none_of_the_texts_are_there() -> None:
    assert PAIR.parts("question: why?\n\nanswer: so") == ("why?", "so")
    assert PAIR.parts("question: why?") == ("why?", "")
    assert PAIR.parts("answer: so") == ("", "so")
    assert PAIR.parts("neither") == ("neither", "")
    assert PAIR.parts("") == ("", "")


def test_a_mark_counts_only_where_a_text_can_begin() -> None:
    assert PAIR.parts("question: is the answer: 42?\n\nanswer: yes") == ("is the answer: 42?", "yes")
    assert PAIR.parts("question: a\n\nb\n\nanswer: c\n\nanswer: d") == ("a\n\nb", "c\n\nanswer: d")


def test_other_texts_belong_to_both() -> None:
    pair = Pair(("a", "b"), ("prompt: ", "a: ", "b: "), (1, 2))
    assert pair.parts("prompt: p\n\na: x\n\nb: y") == ("p\n\nx", "p\n\ny")


def test_a_teacher_is_told_both_names() -> None:
    assert PAIR.sentence().startswith('Each text is a pair, "question" and "answer".')
    assert "order does not matter" in Pair(("a", "b"), ("a: ", "b: "), symmetric=True).sentence()
