"""Rulings: every task ends with a named source, and no failure becomes an answer."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.committee import Source, settle
from model.labels import CandidateSet, HumanLabel
from model.teacher.base import Answer, State

FAILED = Answer(State.UNPARSED, None, "?")
SILENT = Answer(State.ABSTAINED, None, "")


def said(*labels: str) -> Answer:
    return Answer(State.ANSWERED, CandidateSet(labels), ",".join(labels))


@pytest.mark.parametrize(
    ("votes", "answer", "tries", "label", "source"),
    [
        ("aab", said("b"), 1, "b", Source.LLM),
        ("aab", said("a", "c"), 1, "a", Source.LLM),
        ("abc", said("a", "c"), 1, None, Source.UNRESOLVED),
        ("abb", said("a", "b"), 1, None, Source.UNRESOLVED),
        ("aab", said("b", "c"), 1, None, Source.UNRESOLVED),
        ("aab", FAILED, 1, None, Source.UNRESOLVED),
        ("aab", FAILED, 2, "a", Source.FALLBACK),
        ("abc", FAILED, 2, None, Source.UNRESOLVED),
        ("aab", SILENT, 2, "a", Source.FALLBACK),
        ("aab", None, 0, None, Source.UNRESOLVED),
    ],
)
def test_reviewed_tasks(votes: str, answer: Answer | None, tries: int, label: str | None, source: Source) -> None:
    found = settle(tuple(votes), None, answer, tries=tries)
    assert (found.label, found.source) == (label, source)


def test_only_answers_enter_the_hard_pool() -> None:
    assert settle("aab", None, said("b"), tries=1).hard
    assert settle("abc", None, said("a", "b"), tries=1).hard
    assert not settle("aab", None, FAILED, tries=2).hard
    assert not settle("aaa", "a").hard
    assert settle("aab", None, human=HumanLabel(("b",))).hard


def test_a_failed_answer_is_tried_once_more_and_no_oftener() -> None:
    assert settle("aab", None, None).review
    assert settle("aab", None, FAILED, tries=1).review
    assert not settle("aab", None, FAILED, tries=2).review
    assert not settle("aaa", "a").review


def test_people_win_over_everybody() -> None:
    assert settle("aaa", "a", said("a"), HumanLabel(("b",))).label == "b"
    narrowed = settle("aaa", "a", said("a"), HumanLabel(("b", "c")))
    assert narrowed.label is None
    assert narrowed.candidates == ("b", "c")
    assert settle("aaa", "a", human=HumanLabel(())).source is Source.COMMITTEE


answers = st.one_of(
    st.none(),
    st.sampled_from([FAILED, SILENT]),
    st.lists(st.sampled_from("abc"), min_size=1, max_size=3, unique=True).map(lambda labels: said(*labels)),
)


@given(st.lists(st.tuples(st.text("abc", min_size=3, max_size=3), answers, st.integers(0, 3)), max_size=40))
def test_the_sources_add_up_and_unknown_is_never_accepted(tasks: list[tuple[str, Answer | None, int]]) -> None:
    rulings = []
    for votes, answer, tries in tasks:
        accepted = votes[0] if len(set(votes)) == 1 else None
        rulings.append(settle(tuple(votes), accepted, answer, tries=tries))
        failed = accepted is None and answer is not None and answer.state is not State.ANSWERED
        if failed:
            assert rulings[-1].source in (Source.FALLBACK, Source.UNRESOLVED)
    counts = Counter(ruling.source for ruling in rulings)
    assert sum(counts.values()) == len(tasks)
    for ruling in rulings:
        assert (ruling.label is None) == (ruling.source is Source.UNRESOLVED)
        assert ruling.label is None or ruling.label in "abc"
