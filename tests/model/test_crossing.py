"""A cross-encoder beside a student of pairs: taken where it helps, left where it does not, stored and loaded again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from model import crossing
from model.arrays import FloatArray
from model.crossing import Trial, judged, sentence, tried
from model.errors import ArtifactError, NotEnoughDataError
from model.labels import LabelSpace
from model.pairs import Pair
from model.portable.transformers_folder import by_itself
from model.student.artifact import CROSS_WEIGHTS
from model.student.crossed import CrossedStudent
from model.student.loading import load_student
from model.train import train_student
from model.training import cross_training
from model.training.data import TrainingData
from model.training.options import TrainingOptions
from tests.support.toys import tiny_transformer

SPACE = LabelSpace.of(["no", "yes"])
PAIR = Pair(("a", "b"), ("a: ", "b: "), symmetric=True)
NUMBERS = [f"n{number}" for number in range(40)]


def told(rows: int = 240) -> tuple[list[str], np.ndarray[tuple[int, ...], np.dtype[np.int64]]]:
    """Pairs of which one word of the second text tells the label."""
    random = np.random.default_rng(0)
    labels = random.integers(2, size=rows)
    words = [random.choice(NUMBERS, 2) for _ in range(rows)]
    texts = [f"a: {one}\n\nb: {('no', 'yes')[label]} {two}" for label, (one, two) in zip(labels, words, strict=True)]
    return texts, labels


def nothing(texts: Sequence[str]) -> FloatArray:
    """Vectors that tell nothing of their texts but which they are."""
    vectors = np.stack([np.random.default_rng(abs(hash(text)) % 2**32).normal(size=16) for text in texts])
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def test_one_that_sees_more_is_taken_and_stored_beside_the_student(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cross_training, "RATE", 2e-3)  # the tiny transformer knows no language yet
    texts, labels = told()
    data = TrainingData(texts, np.eye(2, dtype=np.bool_)[labels], np.ones(len(texts), np.bool_))
    (tmp_path / "encoder").mkdir()
    name = tiny_transformer(tmp_path / "encoder", ["no", "yes", *NUMBERS])
    options = TrainingOptions(pair=PAIR, encoder=name)
    cross, trial = tried(SPACE, data, options, nothing)
    assert (trial.judged_by, trial.judges + trial.learned) == ("people", len(texts))
    assert trial.cross > 0.9 > trial.alone
    assert trial.pays
    assert "A cross-encoder is used" in sentence(trial.to_json())
    turned = [f"a: {two}\n\nb: {one}" for one, two in map(PAIR.parts, texts[:5])]
    np.testing.assert_allclose(cross.probabilities(turned), cross.probabilities(texts[:5]), atol=1e-5)
    alone, _ = train_student(SPACE, data, options, nothing)
    student = CrossedStudent(alone, cross, temperature=1.5)  # type: ignore[arg-type]
    student.save(tmp_path / "stored")
    loaded = load_student(tmp_path / "stored")
    assert isinstance(loaded, CrossedStudent)
    loaded.keep_answers(tmp_path)
    shares = student.probabilities(texts, nothing)
    np.testing.assert_allclose(loaded.probabilities(texts[::-1], nothing)[::-1], shares, atol=2e-3)
    np.testing.assert_allclose(loaded.of_texts(texts, nothing), shares, atol=2e-3)  # from memory by now
    assert (shares.argmax(1) == labels).mean() > (alone.probabilities(texts, nothing).argmax(1) == labels).mean() - 0.05
    out = by_itself(loaded)
    assert (out.kind, out.temperature) == ("head", 1.5)
    with monkeypatch.context() as patch:
        patch.setattr("model.student.crossed.has_torch", lambda: False)
        without = load_student(tmp_path / "stored")
        np.testing.assert_allclose(without.probabilities(texts, nothing), out.probabilities(texts, nothing), atol=1e-6)
    (tmp_path / "stored" / CROSS_WEIGHTS).unlink()
    with pytest.raises(ArtifactError, match=CROSS_WEIGHTS):
        load_student(tmp_path / "stored").probabilities(texts[:1], nothing)


def test_what_does_not_help_beyond_chance_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    truth = random.integers(2, size=200)
    shares = np.full((200, 2), 0.5, np.float32)
    shares[np.arange(200), truth] += np.float32(0.1) * np.where(random.random(200) < 0.7, 1, -1)
    shares[:, 0] = 1 - shares[:, 1]
    trial = judged(shares, shares, truth, "people", 600, (60.0, 12.0))
    assert (trial.gain, trial.pays) == (0.0, False)
    assert "is not used, because it does not help beyond chance" in sentence(trial.to_json())
    assert "it costs 12.0 seconds for 1,000 pairs" in sentence(trial.to_json())
    other = shares.copy()
    other[:10] = np.eye(2, dtype=np.float32)[truth[:10]]  # right where nobody can tell that from luck
    slight = judged(shares, other, truth, "people", 600, (60.0, 12.0))
    assert slight.gain > 0
    monkeypatch.setattr(crossing, "SURE", 1e3)
    assert not Trial(**{name: value for name, value in slight.to_json().items() if name != "pays"}).pays  # type: ignore[arg-type]
    few = TrainingData(["a: x\n\nb: y"] * 20, np.eye(2, dtype=np.bool_)[[0, 1] * 10], np.ones(20, np.bool_))
    with pytest.raises(NotEnoughDataError, match="20 tasks with an answer, 200 are needed"):
        tried(SPACE, few, TrainingOptions(pair=PAIR), nothing)
