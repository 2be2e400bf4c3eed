"""Label spaces that a teacher was asked about, on both databases."""

from __future__ import annotations

import sqlalchemy as sa

from backend.pool import candidates, label_spaces, projects, text
from model.labels import CandidateSet, Label, LabelSpace
from model.teacher.base import Answer, State

SPACE = LabelSpace((Label("a", "A", "first"), Label("b")), "label|Choices")


def test_a_label_space_is_kept_under_its_hash(engine: sa.Engine) -> None:
    assert label_spaces.recall(engine, 7, SPACE.hash) is None
    for _ in range(2):
        label_spaces.remember(engine, 7, SPACE)
    assert label_spaces.recall(engine, 7, SPACE.hash) == SPACE
    assert label_spaces.recall(engine, 8, SPACE.hash) is None
    projects.remove(engine, 7)
    assert label_spaces.recall(engine, 7, SPACE.hash) is None


def test_versions_that_were_asked_come_newest_first(engine: sa.Engine) -> None:
    answer = Answer(State.ANSWERED, CandidateSet(("a",)), "")
    for version in ("teacher-1-abcdef", "teacher-2-abcdef"):
        candidates.save(engine, 7, version, [(1, text.text_hash("x"), answer)])
        while label_spaces.asked_versions(engine, 7)[0] != version:  # two answers within one millisecond
            candidates.save(engine, 7, version, [(1, text.text_hash("x"), answer)])
    assert label_spaces.asked_versions(engine, 7) == ["teacher-2-abcdef", "teacher-1-abcdef"]
    assert label_spaces.asked_versions(engine, 8) == []
