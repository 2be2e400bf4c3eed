"""A student of several questions: one version, each question learned and decided as if it were alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from model.decoding import NEVER, ticked
from model.encoder.encoder import load_encoder
from model.errors import NotEnoughDataError
from model.group_answers import asked
from model.groups import Group, When
from model.labels import CandidateSet, HumanLabel, Label, LabelSpace
from model.loading import load_version
from model.portable.answering import answered
from model.student.head import HeadStudent
from model.train import train_student, training_data
from model.training.data import TrainingData
from model.training.group_data import group_data
from model.training.options import TrainingOptions

NAMES = ("mood=bad", "mood=good", "topics=price", "topics=delivery", "why=late", "why=lost")
GROUPS = (
    Group("mood", "one", 0, 2),
    Group("topics", "any", 2, 4, 0),
    Group("why", "one", 4, 6, 1, (When(("mood=bad",)),)),
)
SPACE = LabelSpace(tuple(map(Label, NAMES)), "", "several", 1, GROUPS)
PARTS = {
    "mood=bad": "I am very angry",
    "mood=good": "I am so happy",
    "topics=price": "the price of the invoice",
    "topics=delivery": "the parcel and its driver",
    "why=late": "it came a week too late",
    "why=lost": "it is lost and never came",
}
ANSWERS = [
    (mood, *topics, *([why] if mood == "mood=bad" else []))
    for mood in ("mood=bad", "mood=good")
    for topics in ((), ("topics=price",), ("topics=delivery",), ("topics=price", "topics=delivery"))
    for why in ("why=late", "why=lost")
]
ROWS = [(f"{', '.join(PARTS[name] for name in names)} ({turn})", names) for turn in range(7) for names in ANSWERS]
OPTIONS = TrainingOptions(way="head", epochs=20)


def known(sets: list[CandidateSet | None] | None = None, people: int = 0) -> TrainingData:
    """The teacher is certain of all right labels, unless there are other `sets`; of the first rows people say so."""
    taught = sets or [CandidateSet(names, (), names) for _, names in ROWS]
    labels = [HumanLabel(names, names) if row < people else None for row, (_, names) in enumerate(ROWS)]
    return training_data(SPACE, [text for text, _ in ROWS], taught, labels)


@pytest.fixture(scope="module")
def student() -> HeadStudent:
    found, report = train_student(SPACE, known(people=40), OPTIONS, load_encoder().embed)
    assert isinstance(found, HeadStudent)
    assert set(report.found) == {"mood", "topics", "why", "thresholds"}
    return found


def test_it_answers_all_questions_and_asks_only_where_the_condition_holds(student: HeadStudent) -> None:
    shares = student.probabilities([text for text, _ in ROWS], load_encoder().embed)
    assert shares[:, :2].sum(1) == pytest.approx(1.0, abs=1e-5)
    found = ticked(SPACE, shares, student.thresholds)
    said = [{name for name, one in zip(NAMES, row, strict=True) if one} for row in found]
    assert all(labels == asked(SPACE, labels) for labels in said)
    for group in GROUPS:
        here = [(labels & set(NAMES[group.columns]), set(true) & set(NAMES[group.columns]))
                for labels, (_, true) in zip(said, ROWS, strict=True)]  # fmt: skip
        assert np.mean([left == right for left, right in here]) > 0.9, group.name


def test_it_is_stored_and_comes_back(student: HeadStudent, tmp_path: Path) -> None:
    student.save(tmp_path)
    again = load_version(tmp_path)
    texts, embed = [text for text, _ in ROWS[:5]], load_encoder().embed
    assert again.space == SPACE
    assert np.array_equal(again.probabilities(texts, embed), student.probabilities(texts, embed))


def test_exported_it_answers_as_it_is_served(student: HeadStudent) -> None:
    from model.portable.transformers_folder import portable_model

    model, _ = portable_model(student)
    shares = student.probabilities([text for text, _ in ROWS], load_encoder().embed)
    found = answered(model.config.questions, shares)
    assert np.array_equal(found, ticked(SPACE, shares, student.thresholds))


def test_a_question_that_knows_too_little_is_left_to_the_teacher_and_the_others_are_learned() -> None:
    sets = [
        CandidateSet(labels, (), labels)
        for _, names in ROWS
        for labels in [tuple(name for name in names if not name.startswith("why"))]
    ]
    found, report = train_student(SPACE, known([*sets]), OPTIONS, load_encoder().embed)
    assert found.thresholds is not None
    assert (found.thresholds == np.float32(NEVER)).tolist() == [False] * 4 + [True] * 2
    assert "left to the teacher" in str(report.found["thresholds"])
    with pytest.raises(NotEnoughDataError):
        train_student(SPACE, known([CandidateSet(("mood=bad",), (), ("mood=bad",))] * len(ROWS)), OPTIONS,
                      load_encoder().embed)  # fmt: skip


def test_a_question_that_people_left_open_teaches_nothing_and_a_hidden_one_is_no_negative() -> None:
    texts = ["angry", "happy", "open", "silent"]
    every = (*NAMES[2:4],)
    sets = [
        CandidateSet(("mood=bad", "why=late"), (), ("mood=bad", "why=late")),
        CandidateSet(("mood=good",), (), ("mood=good",)),
        CandidateSet(("mood=good", *every), (), ("mood=good",)),  # of topics the teacher says nothing
        None,
    ]
    labels = [None, HumanLabel(("topics=price",), ("topics=price",)), None, HumanLabel(("mood=good",), ("mood=good",))]
    mood, topics, why = group_data(SPACE, training_data(SPACE, texts, sets, labels))
    assert mood.rows.tolist() == [0, 1, 2, 3]
    assert mood.data.human.tolist() == [False, False, False, True]
    assert topics.rows.tolist() == [0, 1]
    assert topics.data.decided.tolist() == [False, True]
    assert not topics.data.candidates[0].any()  # the teacher says that none applies
    assert why.rows.tolist() == [0]
    assert why.data.first.tolist() == [0]
