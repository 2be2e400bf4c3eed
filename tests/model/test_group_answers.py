"""Several questions are one label space: names, conditions, and sets that are taken apart and put together again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.errors import LabelSpaceError
from model.group_answers import answer_of, answered, asked, joined, limited, within
from model.groups import Group, When, parted, qualified
from model.labels import CandidateSet, Label, LabelSpace

NAMES = ("mood=bad", "mood=good", "topics=price", "topics=delivery", "topics=colour", "why=late", "why=dear")
MOOD, TOPICS = Group("mood", "one", 0, 2), Group("topics", "any", 2, 5, 0)
WHY = Group("why", "one", 5, 7, 1, (When(("mood=bad",)),))
SPACE = LabelSpace(tuple(map(Label, NAMES)), "x", "several", 1, (MOOD, TOPICS, WHY))


@given(st.text(min_size=1), st.text(min_size=1))
def test_a_qualified_name_gives_question_and_label_back(question: str, label: str) -> None:
    assert parted(qualified(question, label)) == (question, label)


def test_a_space_of_several_questions_is_stored_and_has_one_of_its_own_for_each() -> None:
    again = LabelSpace.from_json(SPACE.to_json())
    assert again == SPACE
    assert again.hash == SPACE.hash
    other = LabelSpace(SPACE.labels, "x", "several", 1, (MOOD, TOPICS, Group("why", "one", 5, 7)))
    assert other.hash != SPACE.hash  # a question that is always asked is another one
    assert [part.names for part in SPACE.parts] == [("bad", "good"), ("price", "delivery", "colour"), ("late", "dear")]
    assert [part.answer for part in SPACE.parts] == ["one", "several", "one"]
    alone = LabelSpace.of(["a", "b"])
    assert alone.groups == (Group("", "one", 0, 2),)
    assert alone.parts == (alone,)


@pytest.mark.parametrize(
    "groups",
    [
        (MOOD, TOPICS),
        (MOOD,),
        (MOOD, TOPICS, Group("other", "one", 5, 7)),
        (MOOD, Group("topics", "any", 2, 5, 0, (When(("why=late",)),)), WHY),
    ],
)
def test_groups_that_are_not_those_of_the_labels_are_refused(groups: tuple[Group, ...]) -> None:
    with pytest.raises(LabelSpaceError):
        LabelSpace(SPACE.labels, "x", "several", 1, groups)


def _sets(names: tuple[str, ...], several: bool) -> st.SearchStrategy[CandidateSet | None]:
    chosen = st.lists(st.sampled_from(names), unique=True, min_size=0 if several else 1)
    if not several:
        return st.none() | chosen.map(lambda found: CandidateSet(tuple(found)))
    known = st.tuples(chosen, st.integers(0, len(names))).map(
        lambda pair: CandidateSet(tuple(pair[0]), (), tuple(pair[0][: pair[1]]))
    )
    return st.none() | known.filter(lambda one: bool(one.certain) or len(one.labels) < len(names))


@given(st.tuples(*(_sets(part.names, part.several) for part in SPACE.parts)))
def test_what_is_joined_is_found_again_question_by_question(parts: tuple[CandidateSet | None, ...]) -> None:
    found = joined(SPACE, parts)
    if found is None:
        assert not any(part is not None for part in parts)
        return
    assert tuple(within(SPACE, place, found) for place in range(3)) == parts


def test_an_answer_has_the_first_label_of_each_question_that_is_asked() -> None:
    mood, topics = CandidateSet(("bad", "good")), CandidateSet(("price", "colour"), (), ("price",))
    found = joined(SPACE, (mood, topics, CandidateSet(("dear",))))
    assert found is not None
    assert answer_of(SPACE, found) == ("mood=bad", "topics=price", "why=dear")
    happy = joined(SPACE, (CandidateSet(("good",)), None, CandidateSet(("dear",))))
    assert happy is not None
    assert answer_of(SPACE, happy) == ("mood=good",)  # nobody asks why, and topics are not known
    assert answer_of(LabelSpace.of(["a", "b"]), CandidateSet(("b", "a"))) == ("b",)


def test_what_is_not_asked_is_no_answer_and_what_is_open_counts_nowhere() -> None:
    assert asked(SPACE, {"mood=good", "why=late"}) == {"mood=good"}
    assert asked(SPACE, {"mood=bad", "why=late"}) == {"mood=bad", "why=late"}
    here = answered(SPACE, ("mood=bad", "gone"))
    assert here == (MOOD,)
    assert limited(SPACE, ("why=late", "mood=good", "gone"), here) == ("mood=good",)
