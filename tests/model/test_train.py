"""Training a head by every method on a small problem; what it reports, refuses and repeats."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest

from model.errors import ArtifactError, NotEnoughDataError, TrainingStopped
from model.labels import CandidateSet, HumanLabel, LabelSpace
from model.student.head import HeadStudent
from model.student.loading import load_student
from model.train import TrainingData, TrainingOptions, chosen_way, train_student, training_data
from model.training.options import METHODS
from tests.support.toys import Toy

FAST = TrainingOptions(epochs=12, hidden=32, way="head")


@pytest.mark.parametrize("method", METHODS)
def test_every_method_learns_what_can_be_learnt(method: str) -> None:
    toy = Toy()
    data = toy.data(right=0.85)
    if method == "gold":
        data = dataclasses.replace(data, top=toy.labels)
    student, report = train_student(toy.space, data, dataclasses.replace(FAST, method=method), toy.embed)
    probabilities = student.probabilities(toy.texts, toy.embed)
    assert probabilities.dtype == np.float32
    assert np.allclose(probabilities.sum(1), 1, atol=1e-5)
    assert (probabilities.argmax(1) == toy.labels).mean() > 0.84
    assert set(probabilities.argmax(1)) == set(range(4))
    assert report.rows == 300
    assert report.method == method


@pytest.mark.parametrize("method", ["refinery", "shortlist"])
def test_same_seed_same_weights_and_another_seed_other_weights(method: str) -> None:
    toy = Toy(rows=120)
    data, options = toy.data(human=10), dataclasses.replace(FAST, method=method, epochs=4)
    first, second, other = (
        train_student(toy.space, data, dataclasses.replace(options, seed=seed), toy.embed)[0] for seed in (1, 1, 2)
    )
    answers = [student.probabilities(toy.texts, toy.embed) for student in (first, second, other)]
    assert np.array_equal(answers[0], answers[1])
    assert not np.array_equal(answers[0], answers[2])


@pytest.mark.parametrize("method", METHODS)
def test_people_are_believed(method: str) -> None:
    toy = Toy(rows=200, labels=3)
    sets = np.zeros((200, 3), np.bool_)
    sets[:, 0] = True  # the teacher always says label 0
    human = np.arange(200) < 100
    candidates = np.where(human[:, None], np.eye(3, dtype=np.bool_)[toy.labels], sets)
    data = TrainingData(toy.texts, candidates, human, None, sets, np.zeros(200, np.int64))
    if method == "gold":
        data = dataclasses.replace(data, top=toy.labels)
    student, report = train_student(toy.space, data, dataclasses.replace(FAST, method=method), toy.embed)
    predicted = student.probabilities(toy.texts, toy.embed).argmax(1)
    assert report.human_rows == 100
    assert (predicted[:100] == toy.labels[:100]).mean() > 0.6


def test_training_stops_within_a_batch_and_reports_progress() -> None:
    toy = Toy()
    seen: list[float] = []
    with pytest.raises(TrainingStopped):
        train_student(
            toy.space, toy.data(), FAST, toy.embed, lambda share, text: seen.append(share), lambda: len(seen) >= 3
        )
    assert 3 <= len(seen) <= 4
    seen.clear()
    train_student(toy.space, toy.data(), FAST, toy.embed, lambda share, text: seen.append(share))
    assert seen == sorted(seen)
    assert 0 < seen[0] <= seen[-1] <= 1


def test_too_little_to_learn_from() -> None:
    toy = Toy(rows=5, labels=2)
    with pytest.raises(NotEnoughDataError, match="single candidate"):
        train_student(
            toy.space, TrainingData(toy.texts, np.tile([True, False], (5, 1)), np.zeros(5, np.bool_)), FAST, toy.embed
        )
    with pytest.raises(NotEnoughDataError, match="at least 2"):
        train_student(toy.space, toy.data().rows(np.array([0])), FAST, toy.embed)
    with pytest.raises(NotEnoughDataError, match="no task"):
        training_data(toy.space, ["a"], [None], [HumanLabel(())])


def test_rows_from_what_the_pool_stores() -> None:
    space = LabelSpace.of(["a", "b", "c"])
    data = training_data(
        space,
        ["one", "two", "three", "four", "five"],
        [CandidateSet(("b", "a"), (0.6, 0.3)), None, CandidateSet(("c",)), None, CandidateSet(("a", "c"))],
        [None, HumanLabel(("a",)), HumanLabel(("b",)), None, HumanLabel(("c", "b"))],
    )
    assert list(data.texts) == ["one", "two", "three", "five"]
    assert data.unlabelled == ["four"]
    assert data.rows(np.array([1])).unlabelled == ()
    assert data.human.tolist() == [False, True, True, True]
    assert data.decided.tolist() == [False, True, True, False]
    assert data.candidates.tolist() == [
        [True, True, False],
        [True, False, False],
        [False, True, False],
        [False, True, True],
    ]
    assert data.teacher_sets[2].tolist() == [False, False, True]
    assert data.first.tolist() == [1, -1, 2, 0]
    assert data.confidences is not None
    assert data.confidences[0] == pytest.approx([0.3, 0.6, 0.0])
    assert data.rows(np.array([3, 0])).first.tolist() == [0, 1]


def test_a_student_comes_back_from_its_folder_as_it_was(tmp_path: Path) -> None:
    toy = Toy(rows=80)
    student, _ = train_student(toy.space, toy.data(), dataclasses.replace(FAST, epochs=2), toy.embed)
    student.temperature = 1.7
    student.save(tmp_path)
    again = load_student(tmp_path)
    assert again.space == toy.space
    assert again.temperature == 1.7
    assert np.array_equal(again.probabilities(toy.texts, toy.embed), student.probabilities(toy.texts, toy.embed))
    assert "4 labels" in (tmp_path / "README.md").read_text()


@pytest.mark.parametrize(
    ("file", "content", "named"),
    [
        ("student.json", "{", "student.json: is not JSON"),
        ("student.json", "{}", "field 'format'"),
        ("student.safetensors", "nonsense", "student.safetensors"),
    ],
)
def test_a_damaged_folder_is_named(tmp_path: Path, file: str, content: str, named: str) -> None:
    toy = Toy(rows=60)
    train_student(toy.space, toy.data(), dataclasses.replace(FAST, epochs=1), toy.embed)[0].save(tmp_path)
    (tmp_path / file).write_text(content)
    with pytest.raises(ArtifactError, match=re.escape(named)):
        load_student(tmp_path)


def test_an_unknown_kind_or_a_missing_tensor_is_named(tmp_path: Path) -> None:
    toy = Toy(rows=60)
    train_student(toy.space, toy.data(), dataclasses.replace(FAST, epochs=1), toy.embed)[0].save(tmp_path)
    text = (tmp_path / "student.json").read_text()
    (tmp_path / "student.json").write_text(text.replace('"head"', '"tree"'))
    with pytest.raises(ArtifactError, match="'kind' is 'tree'"):
        load_student(tmp_path)
    (tmp_path / "student.json").write_text(text.replace('"heads": ', '"heads": 9'))
    with pytest.raises(ArtifactError, match="tensor"):
        load_student(tmp_path)
    with pytest.raises(ArtifactError, match=r"student\.json"):
        load_student(tmp_path / "elsewhere")


def test_unknown_methods_and_ways_are_refused() -> None:
    with pytest.raises(ValueError, match="method"):
        TrainingOptions(method="magic")
    with pytest.raises(ValueError, match="way"):
        TrainingOptions(way="sideways")


def test_auto_trains_a_head_on_a_gpu_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fine-tuning on a GPU was never measured, and is no default."""
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    assert chosen_way(TrainingOptions()) == "head"
    assert chosen_way(TrainingOptions(way="finetune")) == "finetune"


def test_a_linear_head_answers_on_small_pools_only_and_remembers_what_was_believed() -> None:
    toy = Toy(rows=120)
    student, report = train_student(toy.space, toy.data(), TrainingOptions(hidden=32), toy.embed)
    assert isinstance(student, HeadStudent)
    found = report.found["linear_head"]
    assert isinstance(found, dict)
    assert found["strength"] > 0
    assert student.heads[0]["hidden"].shape == (16, 120 + 4)
    assert len(student.heads) == 1 + bool(found["joined_by_networks"])
    for options in (TrainingOptions(epochs=1, heads=2), TrainingOptions(epochs=1, method="distillation")):
        other, _ = train_student(toy.space, toy.data(), options, toy.embed)
        assert isinstance(other, HeadStudent)
        assert [head["hidden"].shape[1] for head in other.heads] == [256] * (options.heads or 1)
    large = Toy(rows=1000)
    several, _ = train_student(large.space, large.data(), TrainingOptions(epochs=1), large.embed)
    assert isinstance(several, HeadStudent)
    assert [head["hidden"].shape[1] for head in several.heads] == [256] * 3


def test_vectors_of_another_length_are_learned_by_networks() -> None:
    toy = Toy(rows=120)
    student, report = train_student(toy.space, toy.data(), TrainingOptions(), lambda texts: 3.0 * toy.embed(texts))
    assert isinstance(student, HeadStudent)
    assert "linear_head" not in report.found
    assert [head["hidden"].shape[1] for head in student.heads] == [256] * 3
