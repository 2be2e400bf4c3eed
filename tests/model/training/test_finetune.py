"""Fine-tuning a tiny transformer, made here: it learns, repeats itself, stops, and comes back from disk."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from model.arrays import FloatArray
from model.errors import EncoderError, TrainingStopped
from model.labels import LabelSpace
from model.student.loading import load_student
from model.train import TrainingData, TrainingOptions, train_student
from model.training.augment import BackTranslation, edit_words, make_augmenter
from tests.support.toys import tiny_transformer

TOPICS = {
    "money": ["refund", "invoice", "price", "charge"],
    "parcel": ["parcel", "courier", "delivery", "late"],
    "login": ["password", "login", "account", "locked"],
}
FILLER = ["the", "my", "is", "please", "about"]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A transformer that knows the topics' words."""
    words = [*FILLER, *(word for topic in TOPICS.values() for word in topic)]
    return tiny_transformer(tmp_path_factory.mktemp("tiny"), words)


def problem(rows: int = 96, human: int = 0) -> tuple[LabelSpace, TrainingData, np.ndarray]:
    """Texts of two topic words and filler; the teacher's set holds the truth and often one more label."""
    random = np.random.default_rng(0)
    names = list(TOPICS)
    labels = random.integers(3, size=rows)
    texts = [" ".join([*random.choice(FILLER, 2), *random.choice(TOPICS[names[label]], 2)]) for label in labels]
    sets = np.eye(3, dtype=np.bool_)[labels]
    sets[np.arange(rows), random.integers(3, size=rows)] = True
    decided = np.arange(rows) < human
    candidates = np.where(decided[:, None], np.eye(3, dtype=np.bool_)[labels], sets)
    return LabelSpace.of(names), TrainingData(texts, candidates, decided, None, sets, labels), labels


def embed(texts: object) -> FloatArray:
    """Vectors that say nothing, for the beliefs of the method shortlist."""
    assert isinstance(texts, list)
    return np.ones((len(texts), 4), np.float32)


def options(encoder: str, **more: object) -> TrainingOptions:
    base = TrainingOptions(way="finetune", encoder=encoder, epochs=8, batch=16, learning_rate=3e-3, precision="fp32")
    return dataclasses.replace(base, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "more",
    [{"method": "shortlist"}, {"method": "refinery", "consistency": True, "mixup": True}, {"method": "freeal"}],
    ids=lambda more: more["method"],
)
def test_it_learns(tiny: str, more: dict[str, object]) -> None:
    space, data, labels = problem()
    student, report = train_student(space, data, options(tiny, **more), embed)
    probabilities = student.probabilities(data.texts)
    assert report.way == "finetune"
    assert np.allclose(probabilities.sum(1), 1, atol=1e-5)
    assert (probabilities.argmax(1) == labels).mean() > 0.9


def test_it_comes_back_from_disk_as_it_was(tiny: str, tmp_path: Path) -> None:
    space, data, _ = problem(40)
    student, _ = train_student(space, data, options(tiny, method="renormalised", epochs=1), embed)
    student.temperature = 2.0
    student.save(tmp_path)
    again = load_student(tmp_path)
    assert again.kind == "finetune"
    assert np.allclose(again.probabilities(data.texts), student.probabilities(data.texts), atol=1e-6)
    assert "3 labels" in (tmp_path / "README.md").read_text()


def test_same_seed_same_answers(tiny: str) -> None:
    space, data, _ = problem(40)
    wanted = options(tiny, method="renormalised", epochs=2)
    first, second = (train_student(space, data, wanted, embed)[0].probabilities(data.texts) for _ in range(2))
    assert np.array_equal(first, second)


def test_it_stops_when_asked(tiny: str) -> None:
    space, data, _ = problem(40)
    asked = iter([False] * 4 + [True] * 9)
    with pytest.raises(TrainingStopped):
        train_student(space, data, options(tiny, method="renormalised"), embed, None, lambda: next(asked))


def test_edits_keep_words_and_repeat_themselves() -> None:
    text = "please tell me where my late parcel is now"
    other = edit_words([text] * 2, seed=3)
    assert other[0] == other[1]
    assert set(other[0].split()) <= set(text.split())
    assert edit_words(["two words", ""], seed=1) == ["two words", ""]
    assert len({edit_words([text], seed)[0] for seed in range(9)}) > 3


def test_back_translation_asks_once_per_text_and_falls_back_to_the_text() -> None:
    asked: list[str] = []

    def there(texts: object) -> list[str]:
        assert isinstance(texts, list)
        asked.extend(texts)
        return [text.upper() for text in texts]

    augment = BackTranslation(there, lambda texts: [text.lower() if text != "B" else "" for text in texts])
    assert augment(["a", "b", "a"], 0) == ["a", "b", "a"]
    assert augment(["a"], 1) == ["a"]
    assert asked == ["a", "b"]


def test_unknown_augmentations_and_missing_translators_are_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="neither words nor back-translation"):
        make_augmenter("magic")
    with pytest.raises(EncoderError, match="back-translation"):
        make_augmenter("back-translation", (str(tmp_path / "a"), str(tmp_path / "b")))
