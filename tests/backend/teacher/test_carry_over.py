"""What stays valid when the labels change."""

from __future__ import annotations

from backend.teacher.carry_over import only_removes, survives
from model.labels import CandidateSet, Label, LabelSpace

OLD = LabelSpace((Label("a", hint="first"), Label("b"), Label("c")), "label|Choices")


def space(*labels: Label, scope: str = "label|Choices") -> LabelSpace:
    return LabelSpace(labels, scope)


def test_removing_and_reordering_are_no_new_question() -> None:
    assert only_removes(OLD, space(Label("c"), Label("a", hint="first")))
    assert only_removes(OLD, space(Label("c"), Label("b"), Label("a", hint="first")))


def test_everything_else_is() -> None:
    assert not only_removes(OLD, space(*OLD.labels, Label("d")))
    assert not only_removes(OLD, space(Label("a", hint="other"), Label("b")))
    assert not only_removes(OLD, space(Label("a", "A", "first"), Label("b")))
    assert not only_removes(OLD, space(*OLD.labels, scope="topic|Choices"))


def test_a_set_survives_if_it_loses_no_label() -> None:
    new = space(Label("b"), Label("c"))
    assert survives(CandidateSet(("c", "b")), new)
    assert survives(None, new)
    assert not survives(CandidateSet(("b", "a")), new)
