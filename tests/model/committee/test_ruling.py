"""Rulings: every task ends with a named source, and no failure becomes an answer."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.committee.ruling import Source, settle
from model.labels import CandidateSet
from model.teacher.base import Answer, State

FAILED = Answer(State.UNPARSED, None, "?")
SILENT = Answer(State.ABSTAINED, None, "")


def said(*labels: str) -> Answer:
    return Answer(State.ANSWERED, CandidateSet(labels), ",".join(labels))


@pytest.mark.parametrize(
    ("votes", "answer", "label", "source"),
    [
        ("aab", said("b"), "b", Source.LLM),
        ("aab", said("a", "c"), "a", Source.LLM),
        ("abc", said("a", "c"), None, Source.UNRESOLVED),
        ("abb", said("a", "b"), None, Source.UNRESOLVED),
        ("aab", said("b", "c"), None, Source.UNRESOLVED),
        ("aab", FAILED, "a", Source.FALLBACK),
        ("abc", FAILED, None, Source.UNRESOLVED),
        ("aab", SILENT, "a", Source.FALLBACK),
        ("aab", None, None, Source.UNRESOLVED),
    ],
)
def test_reviewed_tasks(votes: str, answer: Answer | None, label: str | None, source: Source) -> None:
    found = settle(tuple(votes), None, answer)
    assert (found.label, found.source) == (label, source)


def test_what_nobody_settles_leaves_a_shortlist() -> None:
    assert settle("abb", None, None).candidates == ("b", "a")
    assert settle("abc", None, said("c", "a")).candidates == ("c", "a")


answers = st.one_of(
    st.none(),
    st.sampled_from([FAILED, SILENT]),
    st.lists(st.sampled_from("abc"), min_size=1, max_size=3, unique=True).map(lambda labels: said(*labels)),
)


@given(st.lists(st.tuples(st.text("abc", min_size=3, max_size=3), answers), max_size=40))
def test_the_sources_add_up_and_unknown_is_never_accepted(tasks: list[tuple[str, Answer | None]]) -> None:
    rulings = []
    for votes, answer in tasks:
        accepted = votes[0] if len(set(votes)) == 1 else None
        rulings.append(settle(tuple(votes), accepted, answer))
        failed = accepted is None and answer is not None and answer.state is not State.ANSWERED
        if failed:
            assert rulings[-1].source in (Source.FALLBACK, Source.UNRESOLVED)
    counts = Counter(ruling.source for ruling in rulings)
    assert sum(counts.values()) == len(tasks)
    for ruling in rulings:
        assert (ruling.label is None) == (ruling.source is Source.UNRESOLVED)
        assert ruling.label is None or ruling.label in "abc"
