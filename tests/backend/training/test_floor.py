"""What is served is not worse than people's labels alone or their commonest one, on unseen labels."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from backend.training.floor import floored
from model.labels import LabelSpace
from model.train import train_student
from model.training.data import TrainingData
from model.training.options import TrainingOptions, TrainingReport
from tests.support.toys import Toy

FAST = TrainingOptions(epochs=15, hidden=16)
SPACE = LabelSpace.of(["a", "b", "c", "d"])
PEOPLE = 100  # tasks that people decided and a student may learn


class Judged:
    """A student of a teacher that always takes one label for the next, which no label of people has put right."""

    def __init__(self) -> None:
        self.toy = Toy(400, 4, noise=1.0, seed=1)
        wrong = (self.toy.labels + 1) % 4
        sets = np.eye(4, dtype=np.bool_)[wrong]
        blind = TrainingData(self.toy.texts, sets, np.zeros(400, np.bool_), None, sets, wrong)
        self.student, self.report = train_student(SPACE, blind, FAST, self.toy.embed)
        human = np.arange(400) < PEOPLE
        candidates = np.where(human[:, None], np.eye(4, dtype=np.bool_)[self.toy.labels], sets)
        self.data = dataclasses.replace(blind, candidates=candidates, human=human)

    def judges(self, number: int) -> dict[str, str]:
        rows = range(PEOPLE, PEOPLE + number)
        return {self.toy.texts[row]: SPACE.names[self.toy.labels[row]] for row in rows}

    def right(self, student: object) -> float:
        said = student.probabilities(self.toy.texts, self.toy.embed).argmax(1)  # type: ignore[attr-defined]
        return float((said == self.toy.labels)[PEOPLE:].mean())


@pytest.fixture(scope="module")
def judged() -> Judged:
    return Judged()


def test_a_student_that_people_alone_beat_gives_way_and_the_report_says_so(judged: Judged) -> None:
    report = TrainingReport("shortlist", "head", 400, PEOPLE, found={"human_labels_representative": True})
    found = floored(judged.student, report, judged.data, judged.judges(60), FAST, judged.toy.embed)
    assert judged.right(judged.student) < 0.1
    assert judged.right(found) > 0.4
    assert report.found["held_out_floor"]["taken"]  # type: ignore[index]
    assert "what the teacher says did not help" in report.warnings[0]


@pytest.mark.parametrize(("labels", "aside"), [(10, ""), (60, "the labels are no sample of the pool")])
def test_few_labels_and_such_as_are_no_sample_change_nothing(judged: Judged, labels: int, aside: str) -> None:
    report = TrainingReport("shortlist", "head", 400, PEOPLE, found={"set_aside": aside})
    assert floored(judged.student, report, judged.data, judged.judges(labels), FAST, judged.toy.embed) is judged.student
    assert report.warnings == []


def test_a_good_student_stays(judged: Judged) -> None:
    good, report = train_student(SPACE, judged.data, FAST, judged.toy.embed)
    assert floored(good, report, judged.data, judged.judges(60), FAST, judged.toy.embed) is good


def test_a_student_that_one_label_for_all_beats_gives_way_and_the_report_says_so(judged: Judged) -> None:
    """People's labels are all alike, so that no head can be trained on them alone."""
    learned = np.where(judged.toy.labels[:PEOPLE] == 1)[0]
    human = np.zeros(400, np.bool_)
    human[learned] = True
    candidates = np.where(human[:, None], np.eye(4, dtype=np.bool_)[1], judged.data.candidates)
    data = dataclasses.replace(judged.data, human=human, candidates=candidates)
    judges = {text: label for text, label in judged.judges(300).items() if label == "b"}
    report = TrainingReport("shortlist", "head", 400, len(learned), found={"human_labels_representative": True})
    found = floored(judged.student, report, data, judges, FAST, judged.toy.embed)
    assert set(found.probabilities(list(judges), judged.toy.embed).argmax(1)) == {1}
    assert report.found["held_out_floor"]["taken"] == "commonest label"  # type: ignore[index]
    assert "'b' is served for all" in report.warnings[0]
