"""A student of several labels: learned from intervals, decided by thresholds, stored and loaded."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from model.encoder.encoder import load_encoder
from model.errors import ArtifactError, NotEnoughDataError
from model.labels import CandidateSet, HumanLabel, Label, LabelSpace
from model.loading import load_version
from model.student.head import HeadStudent
from model.train import train_student, training_data
from model.training.options import TrainingOptions

SPACE = LabelSpace((Label("billing"), Label("late"), Label("broken")), "", "several", 0)
PARTS = {"billing": "the invoice is wrong", "late": "the parcel came a week late", "broken": "the lamp is broken"}
SETS = [(), ("billing",), ("late",), ("broken",), ("billing", "late"), ("late", "broken"), ("billing", "broken")]
ROWS = [
    (" and ".join([f"{PARTS[name]} ({turn})" for name in names] or [f"thank you very much ({turn})"]), names)
    for turn in range(12)
    for names in SETS
]
OPTIONS = TrainingOptions(way="head", epochs=20)


def trained(people: int) -> tuple[HeadStudent, dict[str, object]]:
    """The teacher is certain of all right labels; of the first rows people say the same."""
    sets = [CandidateSet(names, (), names) for _, names in ROWS]
    labels = [HumanLabel(names, names) if row < people else None for row, (_, names) in enumerate(ROWS)]
    data = training_data(SPACE, [text for text, _ in ROWS], sets, labels)
    student, report = train_student(SPACE, data, OPTIONS, load_encoder().embed)
    assert isinstance(student, HeadStudent)
    return student, report.found


@pytest.fixture(scope="module")
def student() -> HeadStudent:
    return trained(40)[0]


def test_it_ticks_what_is_right_and_nothing_where_nothing_is(student: HeadStudent) -> None:
    from model.decoding import ticked

    shares = student.probabilities([text for text, _ in ROWS], load_encoder().embed)
    assert shares.shape == (len(ROWS), 3)
    found = ticked(SPACE, shares, student.thresholds)
    truth = np.array([[name in names for name in SPACE.names] for _, names in ROWS])
    assert (found == truth).mean() > 0.9
    assert (found.sum(1) == 0).any()


def test_it_is_stored_with_its_thresholds_and_wrong_ones_are_refused(student: HeadStudent, tmp_path: Path) -> None:
    student.save(tmp_path)
    again = load_version(tmp_path)
    texts = [text for text, _ in ROWS[:5]]
    embed = load_encoder().embed
    assert again.space == SPACE
    assert again.thresholds is not None
    assert student.thresholds is not None
    assert again.thresholds.tolist() == student.thresholds.tolist()
    assert again.probabilities(texts, embed).tolist() == student.probabilities(texts, embed).tolist()
    described = json.loads((tmp_path / "student.json").read_text())
    (tmp_path / "student.json").write_text(json.dumps({**described, "thresholds": [0.5]}))
    with pytest.raises(ArtifactError, match="'thresholds' is not a list of 3 numbers"):
        load_version(tmp_path)


def test_a_folder_for_transformers_has_the_same_probabilities_and_says_the_thresholds(student: HeadStudent) -> None:
    import torch

    from model.portable.transformers_folder import card_text, portable_model

    model, checkpoint = portable_model(student)
    tokenizer, longest = checkpoint.tokenizer, checkpoint.usage.longest
    texts = [text for text, _ in ROWS[:4]]
    inputs = tokenizer(texts, return_tensors="pt", padding=True, truncation=True, max_length=longest)
    with torch.inference_mode():
        found = torch.sigmoid(model.eval()(**inputs).logits).numpy()
    assert found == pytest.approx(student.probabilities(texts, load_encoder().embed), abs=2e-3)
    assert model.config.problem_type == "multi_label_classification"
    card = card_text(student, {}, "{folder} {text}", "transformers", "a text", "folder")
    (question,) = model.config.questions
    assert f"billing {question['thresholds'][0]:.4f}" in card


def test_a_student_of_one_label_is_stored_as_before(tmp_path: Path) -> None:
    space = LabelSpace(SPACE.labels)
    rows = [(text, names[0]) for text, names in ROWS if len(names) == 1]
    data = training_data(
        space, [text for text, _ in rows], [None] * len(rows), [HumanLabel((name,)) for _, name in rows]
    )
    student, _ = train_student(space, data, OPTIONS, load_encoder().embed)
    student.save(tmp_path)
    described = json.loads((tmp_path / "student.json").read_text())
    assert set(described) == {"format", "kind", "encoder", "temperature", "label_space", "heads", "runtime"}
    assert set(described["label_space"]) == {"scope", "labels"}
    assert load_version(tmp_path).thresholds is None


def test_few_people_set_how_many_labels_there_are_and_more_choose_thresholds() -> None:
    assert "as many as expected" in str(trained(0)[1]["thresholds"])
    assert "chosen on 40 answers of people" in str(trained(40)[1]["thresholds"])


def test_nothing_can_be_learned_from_tasks_without_any_label() -> None:
    data = training_data(SPACE, ["a", "b"], [CandidateSet((), (), ())] * 2, [None, None])
    with pytest.raises(NotEnoughDataError, match="no task has a label"):
        train_student(SPACE, data, OPTIONS, load_encoder().embed)
