"""Label spaces, candidate sets and human labels refuse what cannot be right and keep what is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.errors import LabelSpaceError
from model.labels import CandidateSet, Decision, HumanLabel, Label, LabelSpace

names = st.lists(st.text(min_size=1).filter(str.strip), min_size=2, max_size=8, unique=True)


@given(names)
def test_a_stored_label_space_comes_back_with_the_same_hash(values: list[str]) -> None:
    space = LabelSpace.of(values, scope="label/Choices/text")
    again = LabelSpace.from_json(space.to_json())
    assert again == space
    assert again.hash == space.hash
    assert [space.index(name) for name in space.names] == list(range(len(space)))


def test_order_hint_title_and_scope_enter_the_hash() -> None:
    space = LabelSpace.of(["a", "b"])
    others = [
        LabelSpace.of(["b", "a"]),
        LabelSpace.of(["a", "b"], scope="other"),
        LabelSpace((Label("a", hint="first"), Label("b"))),
        LabelSpace((Label("a", title="A"), Label("b"))),
    ]
    assert len({space.hash, *(other.hash for other in others)}) == 5


def test_a_set_of_several_labels_may_be_empty_and_says_what_is_certain() -> None:
    nothing, some = CandidateSet((), (), ()), CandidateSet(("a", "b", "c"), (), ("a",))
    assert (nothing.answer, nothing.score) == ((), 1.0)
    assert (some.answer, some.score) == (("a",), 0.5)
    assert CandidateSet(("a", "b")).answer == ("a",)
    with pytest.raises(LabelSpaceError, match="has to stand first"):
        CandidateSet(("a", "b"), (), ("b",))


def test_a_persons_whole_set_is_final_and_a_tie_leaves_it_open() -> None:
    decisions = [HumanLabel((), ()), HumanLabel(("a", "b"), ("b", "a")), HumanLabel(("a", "b"), ("a",)), HumanLabel(())]
    assert [one.decision for one in decisions] == [Decision.FINAL, Decision.FINAL, Decision.NARROWED, Decision.SKIPPED]


def test_what_an_answer_is_enters_the_hash_and_is_stored_only_where_it_is_not_one_label() -> None:
    one = LabelSpace.of(["a", "b"])
    several = [LabelSpace(one.labels, answer="several", least=least) for least in (0, 1)]
    assert len({one.hash, *(space.hash for space in several)}) == 3
    assert [LabelSpace.from_json(space.to_json()) for space in several] == several
    assert one.to_json() == {"scope": "", "labels": [{"name": name, "title": name, "hint": ""} for name in "ab"]}
    assert one.hash == "7628ed"  # versions of former releases carry it


@pytest.mark.parametrize(("answer", "least"), [("one", 0), ("several", 2), ("any", 1)])
def test_an_answer_that_cannot_be_is_refused(answer: str, least: int) -> None:
    with pytest.raises(LabelSpaceError, match=repr(answer)):
        LabelSpace(LabelSpace.of(["a", "b"]).labels, "", answer, least)  # type: ignore[arg-type]


@pytest.mark.parametrize("values", [[], ["only"], ["a", "a"], ["a", " "]])
def test_label_spaces_that_cannot_work_are_refused(values: list[str]) -> None:
    with pytest.raises(LabelSpaceError):
        LabelSpace.of(values)


def test_an_unknown_label_is_answered_with_the_nearest_known_one() -> None:
    with pytest.raises(LabelSpaceError, match="did you mean 'refund'"):
        LabelSpace.of(["refund", "billing"]).index("Refund")


@pytest.mark.parametrize("content", [{}, {"labels": 3, "scope": ""}, {"labels": [{"name": "a"}], "scope": ""}])
def test_a_broken_stored_label_space_is_named(content: dict[str, object]) -> None:
    with pytest.raises(LabelSpaceError, match="not a stored label space"):
        LabelSpace.from_json(content)


@pytest.mark.parametrize(
    ("labels", "confidences"), [((), ()), (("a", "a"), ()), (("a",), (0.5, 0.5)), (("a",), (1.5,))]
)
def test_candidate_sets_that_cannot_be_right_are_refused(
    labels: tuple[str, ...], confidences: tuple[float, ...]
) -> None:
    with pytest.raises(LabelSpaceError):
        CandidateSet(labels, confidences)


def test_a_candidate_set_scores_its_first_label() -> None:
    assert CandidateSet(("a", "b"), (0.7, 0.2)).score == 0.7
    assert CandidateSet(("a", "b")).score == 0.5
    assert CandidateSet(("a", "b")).top == "a"


@pytest.mark.parametrize(
    ("labels", "decision"), [((), Decision.SKIPPED), (("a",), Decision.FINAL), (("a", "b"), Decision.NARROWED)]
)
def test_the_number_of_labels_is_the_decision(labels: tuple[str, ...], decision: Decision) -> None:
    assert HumanLabel(labels).decision is decision
