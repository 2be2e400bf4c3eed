"""Answers about a text that was edited since, or of labels that there are no more, count nowhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import sqlalchemy as sa

from backend.pool import annotations, candidates, figures, predictions, projects, publishing, rulings, shown, tasks
from backend.pool.standing import about, known, of_labels
from backend.pool.text import text_hash
from model.labels import LabelSpace
from tests.support.samples import PROJECT, STUDENT, TEACHER, add_project, answered, labelled

TEXTS = {1: "where is my parcel", 2: "my money back", 3: "charged twice"}
LABELS = {1: "shipping", 2: "refund", 3: "billing"}
COMMITTEE = STUDENT.replace("student", "committee")

FIGURES: dict[str, Callable[[sa.Engine], object]] = {
    "the teacher against people": lambda engine: figures.teacher(engine, PROJECT, TEACHER).tasks,
    "its pairs": lambda engine: len(figures.of_teacher(engine, PROJECT, TEACHER)),
    "students' pairs": lambda engine: len(figures.of_students(engine, PROJECT)),
    "sizes": lambda engine: sum(count for _, count in figures.size_counts(engine, PROJECT, TEACHER)),
    "candidates of an export": lambda engine: len(figures.answered_sets(engine, PROJECT, TEACHER, [1, 3])),
    "labels of an export": lambda engine: len(figures.predicted_labels(engine, PROJECT, STUDENT, [1, 3])),
    "the student on blind tasks": lambda engine: shown.blind_student(engine, PROJECT, 1.0).tasks,
    "the teacher on blind tasks": lambda engine: shown.blind_teacher(engine, PROJECT, TEACHER, 1.0).tasks,
    "rulings": lambda engine: len(rulings.of_source(engine, PROJECT, COMMITTEE, "committee")),
    "what is to be sent of a student": lambda engine: len(predictions.unpublished(engine, PROJECT, STUDENT, 9)),
    "what is to be sent of a teacher": lambda engine: len(publishing.unsent_candidates(engine, PROJECT, TEACHER)),
}
BLIND = ("the student on blind tasks", "the teacher on blind tasks")
OF_PEOPLE = ("the teacher against people", "its pairs", "students' pairs", *BLIND)


def fill(engine: sa.Engine, *, blind: bool = False) -> None:
    """Three tasks that teacher, student and committee answered and people decided, as they were shown or blind."""
    add_project(engine)
    tasks.add(engine, PROJECT, TEXTS)
    keys = {task: text_hash(text) for task, text in TEXTS.items()}
    candidates.save(engine, PROJECT, TEACHER, [(task, keys[task], answered(LABELS[task])) for task in TEXTS])
    for version in (STUDENT, COMMITTEE):
        predictions.save(engine, PROJECT, version, [(task, keys[task], LABELS[task], 0.9) for task in TEXTS])
    rulings.save(engine, PROJECT, COMMITTEE, dict.fromkeys(TEXTS, "committee"))
    rows = [labelled(task, task, LABELS[task]) for task in TEXTS]
    seen = [
        replace(row, shown_version=STUDENT, shown_labels=() if blind else row.labels, shown_at=row.updated_at)
        for row in rows
    ]
    annotations.save(engine, PROJECT, seen)


@pytest.mark.parametrize("name", FIGURES)
def test_an_answer_to_another_text_does_not_count(engine: sa.Engine, name: str) -> None:
    fill(engine, blind=name in BLIND)
    assert FIGURES[name](engine) == 3
    tasks.add(engine, PROJECT, {2: "an edited text"})
    assert FIGURES[name](engine) == 2
    tasks.add(engine, PROJECT, {2: TEXTS[2]})
    assert FIGURES[name](engine) == 3


@pytest.mark.parametrize("name", OF_PEOPLE)
def test_a_decision_for_a_label_that_is_gone_does_not_count(engine: sa.Engine, name: str) -> None:
    fill(engine, blind=name in BLIND)
    other = LabelSpace.of(["billing", "returns", "shipping"], scope="label/Choices/text")
    projects.save_config(engine, PROJECT, "1763700000", "tickets", "<View/>", other, "", {})
    assert FIGURES[name](engine) == 2


def test_a_task_whose_label_is_gone_is_open_again(engine: sa.Engine) -> None:
    fill(engine)
    assert annotations.decided(engine, PROJECT) == {1, 2, 3}
    other = LabelSpace.of(["billing", "returns", "shipping"], scope="label/Choices/text")
    projects.save_config(engine, PROJECT, "1763700000", "tickets", "<View/>", other, "", {})
    assert annotations.decided(engine, PROJECT) == {1, 3}


def test_by_hand() -> None:
    stored = {1: ("a", "old"), 2: ("b", "new"), 3: ("c", "gone")}
    assert about(stored, {1: "other", 2: "b"}) == {2: "new"}
    assert of_labels("student-1-abcdef", "abcdef") == "student-1-abcdef"
    assert of_labels("student-1-abcdef", "fedcba") == of_labels(None, "abcdef") == ""
    assert known(["a"], ["a", "b"])
    assert not known(["a", "c"], ["a", "b"])
    assert known(["c"], None)
