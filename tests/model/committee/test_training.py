"""Training a committee: who sits in it, what weighs the members, and that none gets worse."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model.arrays import FloatArray
from model.committee import training
from model.committee.agreement import agreement
from model.committee.committee import Committee
from model.committee.members.member import StudentMember
from model.committee.members.tfidf import WordsMember
from model.committee.pooling import LEAST_LABELS, member_evidence
from model.committee.reviewer import Reviewer
from model.committee.roster import Roster
from model.committee.seats import Seats, existing, refined
from model.committee.training import Held, set_aside, train_committee, without_harm
from model.errors import ArtifactError
from model.labels import CandidateSet, HumanLabel, LabelSpace
from model.training import adaptation
from model.training.data import TrainingData, training_data
from model.training.options import TrainingOptions
from tests.support.toys import tiny_classifier

SPACE = LabelSpace.of(["sport", "money"])
WORDS = {"sport": ["team", "goal", "keeper", "striker", "cup"], "money": ["bank", "shares", "market", "bonds", "rates"]}


def letters(texts: Sequence[str]) -> FloatArray:
    """Unit vectors of letter counts: an encoder that needs no weights."""
    counts = np.array([[text.count(letter) for letter in "abcdefghijklmnopqrstuvwxyz"] for text in texts], np.float32)
    return counts / np.maximum(np.linalg.norm(counts, axis=1, keepdims=True), 1e-6)


def texts(count: int) -> tuple[list[str], list[str]]:
    draw = np.random.default_rng(0)
    labels = [SPACE.names[number % 2] for number in range(count)]
    return [" ".join(draw.choice(WORDS[label], 4)) + f" {place}" for place, label in enumerate(labels)], labels


def data(count: int, people: int) -> TrainingData:
    found, labels = texts(count)
    sets = [CandidateSet((label,), (0.9,)) for label in labels]
    human = [HumanLabel((label,)) if place < people else None for place, label in enumerate(labels)]
    return training_data(SPACE, found, sets, human)


def train(rows: TrainingData, *members: str) -> Committee:
    options = TrainingOptions(way="head", epochs=10, heads=1)
    seats = Seats(SPACE, Roster(members), options, letters, lambda: False)
    committee, report = train_committee(rows, seats, lambda share, text: None)
    assert report.found["members"] == list(members)
    assert ("compared" in report.found) == (rows.decided.sum() >= LEAST_LABELS)
    return committee


def test_agreement_counts_only_where_both_voted() -> None:
    sure = np.log(np.array([[0.9, 0.1], [0.2, 0.8], [0.9, 0.1]], np.float32))
    silent = np.array([[-0.1, -2.0], [0.0, 0.0], [-2.0, -0.1]], np.float32)
    found = agreement([sure, silent], np.array([0, 1, 1]))
    assert found == {"rows": 3, "voted": [3, 2], "right": [2, 2], "same": [[1.0, 0.5], [0.5, 1.0]]}
    assert agreement([0 * sure], np.array([0, 1, 1]))["same"] == [[None]]


def test_members_learn_and_weights_come_from_labels_that_they_did_not_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "MANY_LABELS", 150)
    rows = data(240, 200)
    committee = train(rows, "student", "student:1", "words", "names")
    assert [member.name for member in committee.members] == ["student", "student:1", "words", "names"]
    found, labels = texts(60)
    gold = np.array([SPACE.index(label) for label in labels])
    assert (committee.probabilities(found).argmax(axis=1) == gold).mean() > 0.9
    assert committee.weights[3] < committee.weights[2]  # letters of label names say nothing
    found_out = agreement([member_evidence(member.probabilities(found)) for member in committee.members], gold)
    assert found_out["right"][0] > 54
    assert found_out["right"][3] < 54
    assert found_out["voted"][:3] == [60, 60, 60]
    aside = set_aside(rows)
    assert 20 <= aside.sum() < 100
    assert not (aside & ~rows.decided).any()


def test_a_hundred_labels_all_teach_and_cross_fitting_weighs() -> None:
    rows = data(120, 60)
    assert not set_aside(rows).any()
    weights = train(rows, "words", "names").weights
    assert weights[1] < 0.5 * weights[0]
    random = np.random.default_rng(0)
    rows.candidates[:60] = np.eye(2, dtype=bool)[random.integers(0, 2, 60)]  # people say anything: nothing to learn
    made_up = train(rows, "words", "names").weights
    assert made_up[0] < 0.5 * weights[0]  # what it learned by heart gives it no weight


def test_a_handful_of_labels_weighs_all_members_alike() -> None:
    assert train(data(60, 15), "student", "words").weights == (0.5, 0.5)


def test_refined_targets_stay_inside_the_candidates() -> None:
    rows = data(10, 0)
    targets = refined(rows, np.full((10, 2), 0.5, np.float32))
    np.testing.assert_allclose(targets, rows.candidates.astype(np.float32), atol=1e-6)


def test_a_member_that_got_worse_keeps_its_old_self() -> None:
    found, labels = texts(80)
    gold = np.array([SPACE.index(label) for label in labels])
    good = WordsMember.fit("words", SPACE, found, np.eye(2, dtype=np.float32)[gold])
    bad = WordsMember.fit("words", SPACE, found, np.eye(2, dtype=np.float32)[1 - gold])
    old, new = Committee(SPACE, [good]), Committee(SPACE, [bad], (0.7,))
    people = Held(found, gold, np.ones(80, bool))
    kept, gates = without_harm(old, new, people)
    assert kept.members == [good]
    assert kept.weights == (0.7,)
    assert (gates["words"].promoted, gates["words"].judged_on) == (False, "people")
    improved, _ = without_harm(new, replace(old), people)
    assert improved.members == [good]
    assert without_harm(old, new, Held([], gold[:0], np.ones(0, bool)))[0].members == [bad]  # nothing to judge by
    drifted, gates = without_harm(old, new, Held(found, gold, np.zeros(80, bool)))  # nobody labelled, but all agreed
    assert drifted.members == [good]
    assert gates["words"].judged_on == "agreement"


def test_people_say_what_the_teachers_word_is_worth() -> None:
    def reviewer(right: float) -> Reviewer | None:
        rows = data(200, 100)
        random = np.random.default_rng(0)
        gold = rows.candidates.argmax(axis=1)
        rows.top = np.where(random.random(len(rows)) < right, gold, 1 - gold).astype(np.int64)
        return train(rows, "names", "words").reviewer

    good, bad = reviewer(1.0), reviewer(0.5)
    assert good is not None
    assert bad is not None
    assert good.pooling.weights[-1] > bad.pooling.weights[-1]
    assert not bad.helps
    assert train(data(60, 15), "student", "words").reviewer is None  # too few labels to tell


def test_an_existing_classifier_takes_its_seat_by_a_file(tmp_path: Path) -> None:
    tiny_classifier(tmp_path / "model")
    targets = {"LABEL_0": "sport", "LABEL_1": "money", "LABEL_2": None}
    path = tmp_path / "hub.json"
    path.write_text(json.dumps({"place": str(tmp_path / "model"), "map": targets}))
    tiny_classifier(tmp_path / "nli", ("neutral", "entailment", "contradiction"))
    zero_shot = tmp_path / "nli.json"
    zero_shot.write_text(json.dumps({"place": str(tmp_path / "nli"), "hypothesis": "This is about {}."}))
    committee = train(data(60, 10), "words", str(path), str(zero_shot))
    assert [member.name for member in committee.members] == ["words", "hub", "nli"]
    committee.save(tmp_path / "stored")
    again = Committee.load(tmp_path / "stored", letters)
    np.testing.assert_allclose(again.probabilities(["team cup"]), committee.probabilities(["team cup"]), atol=1e-5)


def test_students_of_other_encoders_and_ways_sit_beside_the_projects_and_keep_their_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adaptation, "STEPS", 2)
    tiny = tmp_path / "tiny"
    tiny_classifier(tiny)
    members = ("student", f"student@{tiny}", f"student:3/adapted@{tiny}", f"student/finetune@{tiny}")
    committee = train(data(60, 15), *members)
    kinds = [member.student.kind for member in committee.members if isinstance(member, StudentMember)]
    assert kinds == ["head", "head", "adapted", "finetune"]
    answers = committee.all_probabilities(["team cup", "bank rates"])
    for place in (
        "stored",
        "stored again",
    ):  # the second time from what was loaded, as when a member keeps its old self
        committee.save(tmp_path / place)
        committee = Committee.load(tmp_path / place, letters)
        np.testing.assert_allclose(committee.all_probabilities(["team cup", "bank rates"]), answers, atol=1e-4)


@pytest.mark.parametrize(
    "members",
    [
        "student",
        "student,student",
        "student,pickle",
        "student,student:x",
        "",
        "student,student/batch",
        "words,student@",
    ],
)
def test_a_roster_is_checked(members: str) -> None:
    with pytest.raises(ValueError, match="member"):
        Roster.of(members)


def test_a_file_that_describes_no_classifier_is_named(tmp_path: Path) -> None:
    path = tmp_path / "toxic.json"
    path.write_text(json.dumps({"place": "somewhere"}))
    with pytest.raises(ArtifactError, match=r"toxic\.json"):
        existing(str(path), SPACE)
