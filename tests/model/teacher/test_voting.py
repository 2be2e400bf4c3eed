"""Voting: the worked example of the methods, and panels of real teachers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.group_answers import answer_of
from model.groups import Group
from model.labels import CandidateSet, Label, LabelSpace
from model.teacher.base import Answer, State, Usage
from model.teacher.errors import TeacherUnavailable
from model.teacher.similarity import SimilarityTeacher
from model.teacher.voting import Panel, vote, vote_certain
from tests.support.embedding import embed_words

SPACE = LabelSpace.of(["0", "1", "2"])
SETS = [["0", "1"], ["0"], ["1", "2"], ["0", "2"], ["0"]]


def test_certain_is_what_more_than_half_are_certain_of() -> None:
    sets = [CandidateSet(("0", "1"), (), ("0",)), CandidateSet(("0", "2"), (), ("0", "2")), CandidateSet((), (), ())]
    assert vote_certain(sets, SPACE) == CandidateSet(("0", "2", "1"), (2 / 3, 1 / 3, 1 / 3), ("0",))
    assert vote_certain(sets, SPACE, 1) == CandidateSet(("0", "2"), (2 / 3, 1 / 3), ("0",))
    assert vote_certain(sets[2:], SPACE) == CandidateSet((), (), ())
    assert vote_certain([], SPACE) is None


def test_every_question_is_voted_on_alone() -> None:
    names = ("mood=bad", "mood=good", "topics=a", "topics=b")
    groups = (Group("mood", "one", 0, 2), Group("topics", "any", 2, 4, 0))
    space = LabelSpace(tuple(map(Label, names)), "", "several", 1, groups)
    sets = [("mood=bad", "topics=a"), ("mood=bad",), ("mood=good", "topics=a", "topics=b")]
    members = [Fixed(Answer(State.ANSWERED, CandidateSet(one, (), one), "")) for one in sets]
    found = Panel("p", members, space).shortlist(["a"])[0].candidates
    assert found is not None
    assert answer_of(space, found) == ("mood=bad", "topics=a")
    assert set(found.labels) == set(names)


def test_the_worked_example() -> None:
    """Methods, V7: counts 4, 2, 2."""
    assert vote(SETS, SPACE, 1) == CandidateSet(("0",), (0.8,))
    assert vote(SETS, SPACE, 2) == CandidateSet(("0", "1"), (0.8, 0.4))
    assert vote(SETS, SPACE) == CandidateSet(("0", "1", "2"), (0.8, 0.4, 0.4))
    assert vote([], SPACE) is None


@given(st.lists(st.lists(st.sampled_from(SPACE.names), min_size=1, max_size=4), min_size=1, max_size=6), st.randoms())
def test_the_union_does_not_depend_on_the_order_of_opinions(sets: list[list[str]], chance) -> None:  # type: ignore[no-untyped-def]
    found = vote(sets, SPACE)
    assert found is not None
    assert set(found.labels) == {name for names in sets for name in names}
    shuffled = list(sets)
    chance.shuffle(shuffled)
    assert vote(shuffled, SPACE) == found
    assert list(found.confidences) == sorted(found.confidences, reverse=True)


class Fixed:
    """A teacher with given answers."""

    name, paid, fast, hash = "fixed", True, False, "000000"

    def __init__(self, *answers: Answer | Exception) -> None:
        self._answers = answers

    def shortlist(self, texts):  # type: ignore[no-untyped-def]
        for answer in self._answers:
            if isinstance(answer, Exception):
                raise answer
        return list(self._answers)

    def upper_bound_microusd(self, texts) -> int:  # type: ignore[no-untyped-def]
        return 7


def said(*labels: str) -> Answer:
    return Answer(State.ANSWERED, CandidateSet(labels), "raw", Usage(1, 1, 0, 1, 5))


SILENT = Answer(State.ABSTAINED, None, "", Usage(1, 1, 0, 1, 5), "declined")
LOST = Answer(State.UNPARSED, None, "?", Usage(1, 1, 0, 1, 5), "no label")


def test_a_panel_joins_sets_and_usage() -> None:
    panel = Panel("two", [Fixed(said("0", "1"), SILENT, LOST), Fixed(said("1"), said("2"), LOST)], SPACE)
    first, second, third = panel.shortlist(["a", "b", "c"])
    assert first.candidates == CandidateSet(("1", "0"), (1.0, 0.5))
    assert first.usage == Usage(2, 2, 0, 2, 10)
    assert second.candidates == CandidateSet(("2",), (1.0,))
    assert "1 of 2" in second.reason
    assert third.state is State.UNPARSED
    assert panel.upper_bound_microusd(["a"]) == 14


def test_silence_of_all_is_an_abstention() -> None:
    assert Panel("p", [Fixed(SILENT), Fixed(LOST)], SPACE).shortlist(["a"])[0].state is State.ABSTAINED


def test_what_was_paid_survives_a_member_that_fails() -> None:
    broken = TeacherUnavailable("down", {0: said("2")}, Usage(1, 1, 0, 1, 5))
    broken.retry_seconds = 3.0
    panel = Panel("p", [Fixed(said("0"), said("1")), Fixed(broken)], SPACE)
    with pytest.raises(TeacherUnavailable, match="down") as caught:
        panel.shortlist(["a", "b"])
    assert set(caught.value.partial) == {0}
    assert caught.value.spent == Usage(3, 3, 0, 3, 15)
    assert caught.value.retry_seconds == 3.0


def test_a_panel_with_the_similarity_teacher() -> None:
    free = SimilarityTeacher(LabelSpace.of(["cat", "dog"]), embed_words)
    panel = Panel("free", [free], LabelSpace.of(["cat", "dog"]))
    assert not panel.paid
    assert panel.shortlist([]) == []
    assert panel.shortlist(["dog"])[0].candidates.top == "dog"  # type: ignore[union-attr]
    with pytest.raises(ValueError, match="member"):
        Panel("none", [], SPACE)
