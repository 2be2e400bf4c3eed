"""Contrastive adaptation of an encoder: the loss against its formula, what a step draws, and a real small run."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from model.arrays import Embed
from model.encoder.encoder import load_encoder
from model.errors import ArtifactError, NotEnoughDataError, TrainingStopped
from model.labels import LabelSpace
from model.pair_views import cosines
from model.pairs import Pair
from model.student.adapted import AdaptedStudent, read_adapted
from model.student.loading import load_student
from model.train import train_student
from model.training import adaptation
from model.training.adaptation import adapt
from model.training.data import TrainingData
from model.training.options import TrainingOptions

SPACE = LabelSpace.of(["pet", "money"])
PETS = ["the cat sleeps", "my dog barks", "a kitten plays", "the puppy eats", "dogs and cats", "feed the rabbit"]
MONEY = ["the bill is due", "pay the invoice", "my bank account", "a loan of money", "the tax return", "send cash"]


def data() -> TrainingData:
    """Twelve decided rows."""
    labels = np.array([0] * 6 + [1] * 6)
    return TrainingData([*PETS, *MONEY], np.eye(2, dtype=np.bool_)[labels], np.ones(12, np.bool_))


def apart(embed: Embed) -> float:
    """How much more texts of one label resemble each other than those of the other."""
    vectors = embed([*PETS, *MONEY])
    likeness = vectors @ vectors.T
    return float(likeness[:6, :6].mean() - likeness[:6, 6:].mean())


@given(st.integers(2, 9), st.integers(1, 4), st.integers(0, 10_000))
def test_the_loss_is_that_of_the_formula(rows: int, classes: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    vectors = torch.nn.functional.normalize(torch.from_numpy(random.normal(size=(rows, 5))), dim=1)
    labels = torch.from_numpy(random.integers(0, classes, rows))
    expected = []
    for i in range(rows):
        partners = [j for j in range(rows) if j != i and labels[j] == labels[i]]
        others = sum(np.exp(float(vectors[i] @ vectors[j]) / 0.1) for j in range(rows) if j != i)
        found = [-np.log(np.exp(float(vectors[i] @ vectors[j]) / 0.1) / others) for j in partners]
        expected.append(float(np.mean(found)) if found else 0.0)
    assert float(adaptation.contrastive_loss(vectors, labels)) == pytest.approx(float(np.mean(expected)), abs=1e-6)


@given(st.integers(2, 12), st.integers(0, 1000))
def test_every_drawn_label_has_a_partner(classes: int, seed: int) -> None:
    by_label = {label: np.arange(label * 3, label * 3 + 2 + label % 2) for label in range(classes)}
    rows = adaptation.drawn(by_label, np.random.default_rng(seed))
    _, counts = np.unique(rows // 3, return_counts=True)
    assert len(counts) == min(classes, adaptation.CLASSES)
    assert (counts >= 2).all()


def test_texts_of_one_label_come_together_and_the_student_is_stored_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adaptation, "STEPS", 8)
    monkeypatch.setattr(adaptation, "FEW", 0)
    monkeypatch.setattr(adaptation, "ENOUGH", 12)  # so that a quarter is left to judge
    shares: list[float] = []
    own = adapt(data(), TrainingOptions(), lambda share, _: shares.append(share))
    assert shares[-1] == 1.0
    assert len(own.seen) == 9
    assert own.knows([*PETS, *MONEY, "unseen"]).sum() == 9
    assert apart(own.embed) > apart(load_encoder().embed) + 0.03

    rest = ["the cat sleeps", "a loan from the bank"]
    more = dataclasses.replace(data(), unlabelled=rest)
    student, report = train_student(SPACE, more, TrainingOptions(epochs=5, way="head"), own.embed, own=own)
    assert report.way == student.kind == "adapted"
    assert report.unlabelled_rows == 2
    student.temperature = 1.5
    student.save(tmp_path / "stored")
    again = load_student(tmp_path / "stored")
    assert isinstance(again, AdaptedStudent)
    assert again.own.seen == own.seen
    assert again.temperature == 1.5
    asked = ["a hungry cat", "pay the tax"]
    assert again.probabilities(asked).argmax(1).tolist() == [0, 1]
    assert np.allclose(again.probabilities(asked), student.probabilities(asked), atol=1e-5)
    again.save(tmp_path / "copy")
    assert read_adapted(tmp_path / "copy").seen == own.seen

    exact = own.embed(asked)
    again.own.run_in("bfloat16")
    again.save(tmp_path / "fast")
    fast = load_student(tmp_path / "fast")
    assert isinstance(fast, AdaptedStudent)
    assert fast.runtime == "bfloat16"
    assert not np.array_equal(fast.own.embed(asked), exact)
    assert np.allclose(fast.own.embed(asked), exact, atol=0.02)
    assert fast.own.trained.identity == own.trained.identity != fast.own.encoder.identity


def test_of_few_labels_it_learns_all_in_half_the_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adaptation, "STEPS", 4)
    shares: list[float] = []
    own = adapt(data(), TrainingOptions(), lambda share, _: shares.append(share))
    assert shares == [0.5, 1.0]
    assert own.knows([*PETS, *MONEY]).all()
    assert adaptation.least_labels(None) < adaptation.least_labels(PAIR) == adaptation.ENOUGH


def test_it_stops_when_asked_and_refuses_a_single_label(tmp_path: Path) -> None:
    with pytest.raises(TrainingStopped, match="adapting"):
        adapt(data(), TrainingOptions(), stop=lambda: True)
    with pytest.raises(NotEnoughDataError, match="two labels"):
        adaptation.adapt_encoder(PETS, np.zeros(6, np.int64), TrainingOptions(), tmp_path)


@pytest.mark.parametrize("content", ["", "{}", "[1]", None])
def test_a_damaged_list_of_texts_is_named(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "seen.json").write_text(content)
    with pytest.raises(ArtifactError, match=r"seen\.json"):
        read_adapted(tmp_path)


PAIR = Pair(("a", "b"), ("a: ", "b: "))
ALIKE = [(f"a: {one}", other) for kind in (PETS, MONEY) for one, other in itertools.pairwise(kind)]
UNLIKE = [(f"a: {one}", other) for one, other in zip(PETS, MONEY, strict=True)]


def test_cosent_of_the_specification_and_none_without_an_order() -> None:
    alike = torch.tensor([0.9, 0.4, 0.6], dtype=torch.float64)
    assert float(adaptation.cosent_loss(alike, torch.tensor([1, 0, 0]))) == pytest.approx(0.002521, abs=1e-6)
    assert float(adaptation.cosent_loss(alike, torch.tensor([1, 1, 1]))) == 0.0


def test_pairs_of_a_higher_label_come_together_whatever_the_labels_are_called(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adaptation, "STEPS", 16)
    texts = [f"{one}\n\nb: {other}" for one, other in [*ALIKE, *UNLIKE]]
    labels = np.array([0] * len(ALIKE) + [1] * len(UNLIKE))  # the first label is the one of pairs that are alike
    given = TrainingData(texts, np.eye(2, dtype=np.bool_)[labels], np.ones(len(texts), np.bool_))
    own = adapt(given, TrainingOptions(pair=PAIR))

    def gap(embed: Embed) -> float:
        found = cosines(PAIR, texts, embed)
        return float(found[labels == 0].mean() - found[labels == 1].mean())

    assert gap(own.embed) > gap(load_encoder().embed) + 0.03
    assert own.knows(texts).sum() == round(0.75 * len(texts))
