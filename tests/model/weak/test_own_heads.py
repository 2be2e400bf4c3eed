"""Heads on the vectors of an encoder that learned all labels: whether they are used, and what they count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from model.arrays import FloatArray, IntArray
from model.labels import LabelSpace
from model.student.adapted import AdaptedEncoder
from model.text_groups import text_key
from model.train import train_student
from model.training.data import TrainingData
from model.training.options import TrainingOptions
from model.weak.beliefs import beliefs
from model.weak.judges import Known
from model.weak.own_heads import Adapted, OwnEncoder, above_chance, between, people_heads
from model.weak.supervised import Heads

CLASSES, ROWS, LABELS = 4, 400, 50
OPTIONS = TrainingOptions(epochs=20)
NOBODY = np.zeros(LABELS, np.bool_)


@dataclass
class World:
    """Tasks with true labels, a teacher that is right on two of three, and fifty labels of people."""

    truth: IntArray
    said: IntArray
    known: Known

    @classmethod
    def drawn(cls, seed: int = 0) -> World:
        """Mistakes fall on any other label."""
        random = np.random.default_rng(seed)
        truth = random.integers(0, CLASSES, ROWS)
        other = (truth + random.integers(1, CLASSES, ROWS)) % CLASSES
        rows = random.choice(ROWS, LABELS, replace=False)
        said = np.where(random.random(ROWS) < 2 / 3, truth, other)
        return cls(truth, said, Known(rows, truth[rows], rows, np.ones(LABELS)))

    def vectors(self, clear: float, seed: int = 1) -> FloatArray:
        """Unit vectors whose noise hides the labels unless they are `clear`."""
        random = np.random.default_rng(seed)
        found = clear * np.eye(16)[self.truth] + 0.5 * random.normal(size=(ROWS, 16))
        return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), np.float32)

    @property
    def believed(self) -> FloatArray:
        """What the teacher said, with a tenth of doubt."""
        return np.asarray(0.9 * np.eye(CLASSES)[self.said] + 0.1 / CLASSES, np.float16)

    def data(self) -> TrainingData:
        """As the product hands it to a training."""
        candidates = np.eye(CLASSES, dtype=np.bool_)[self.said]
        candidates[self.known.rows] = np.eye(CLASSES, dtype=np.bool_)[self.known.labels]
        human = np.isin(np.arange(ROWS), self.known.rows)
        return TrainingData([f"text {row}" for row in range(ROWS)], candidates, human, top=self.said)


def judged(world: World, adapted: FloatArray, seen: int = ROWS) -> tuple[Heads, OwnEncoder]:
    """What comes of an encoder that has learned the labels of the first rows."""
    views = (world.vectors(0.5), Adapted(adapted, np.arange(ROWS) < seen))
    others = np.setdiff1d(np.arange(ROWS), world.known.rows)
    left_out = world.believed[world.known.rows].astype(np.float64)
    heads, own = people_heads(world.believed, left_out, others, views, world.known, NOBODY, OPTIONS)
    assert heads is not None
    assert own is not None
    return heads, own


def test_a_clearer_encoder_is_used_and_its_gain_is_about_the_true_one() -> None:
    world = World.drawn()
    heads, own = judged(world, world.vectors(1.5))
    plain, _ = judged(world, world.vectors(0.5))
    likely = [one.said[np.arange(ROWS), world.truth].astype(np.float64).mean() for one in (plain, heads)]
    assert own.used
    assert likely[1] > likely[0] + 0.2
    assert own.gain is not None
    assert own.gain == pytest.approx(likely[1] - likely[0], abs=0.12)
    mine = np.arange(LABELS)
    told = [one.unseen[mine, world.known.labels].mean() for one in (plain, heads)]
    assert told[1] == pytest.approx(told[0] + own.gain, abs=0.03)  # with the label seen nearly all are right


@pytest.mark.parametrize(("clear", "seed"), [(0.5, 1), (0.5, 2), (0.0, 3)])
def test_one_that_is_no_clearer_is_not_used(clear: float, seed: int) -> None:
    world = World.drawn()
    heads, own = judged(world, world.vectors(clear, seed))
    plain, _ = judged(world, world.vectors(0.5))
    assert not own.used
    assert np.array_equal(heads.said, plain.said)


def test_a_teacher_at_chance_judges_nothing() -> None:
    world = World.drawn()
    world.said = np.random.default_rng(5).integers(0, CLASSES, ROWS)
    assert not judged(world, world.vectors(1.5))[1].used


def test_labels_that_the_encoder_has_not_seen_judge_it_where_there_are_enough() -> None:
    world = World.drawn()
    heads, own = judged(world, world.vectors(1.5), seen=ROWS // 3)
    assert own.used
    assert own.agreement is None
    assert heads.judges.sum() >= 20


def test_beliefs_follow_an_encoder_that_is_worth_it() -> None:
    world = World.drawn()
    plain, seen = world.vectors(0.5), np.isin(np.arange(ROWS), world.known.rows)
    alone = beliefs(world.data(), plain, TrainingOptions())
    found = beliefs(world.data(), plain, TrainingOptions(), adapted=Adapted(world.vectors(1.5), seen))
    right = [(one.shares.argmax(1) == world.truth).mean() for one in (alone, found)]
    assert alone.own_encoder is None
    assert "own_encoder" not in alone.to_json()
    assert found.to_json()["own_encoder"]["used"]  # type: ignore[index]
    assert right[1] > right[0] + 0.02
    assert found.weights.supervised == 0.0  # estimated answers tell no exponents
    assert found.mixture.heads > alone.mixture.heads


@pytest.mark.parametrize(("clear", "way"), [(1.5, "adapted"), (0.0, "head")])
def test_a_student_has_its_own_encoder_only_if_it_is_worth_it(clear: float, way: str) -> None:
    world = World.drawn()
    texts = [f"text {row}" for row in world.known.rows]
    seen = frozenset(map(text_key, texts))
    own = AdaptedEncoder(Path(), seen, embeddings=lambda texts: world.vectors(clear, 3)[numbers(texts)])
    space = LabelSpace.of(["a", "b", "c", "d"])
    student, report = train_student(
        space, world.data(), OPTIONS, lambda texts: world.vectors(0.5)[numbers(texts)], own=own
    )
    assert (student.kind, report.way) == (way, way)


def numbers(texts: Sequence[str]) -> list[int]:
    """Rows of texts."""
    return [int(text.split()[1]) for text in texts]


def test_what_is_between_answers() -> None:
    known = Known(np.arange(2), np.array([0, 1]), np.arange(2), np.ones(2))
    unseen, seen = np.array([[0.5, 0.5], [0.9, 0.1]]), np.array([[1.0, 0.0], [0.0, 1.0]])
    assert between(unseen, seen, 0.35, known) == pytest.approx(0.5 * unseen + 0.5 * seen)
    assert above_chance(unseen, known) == pytest.approx(0.0)
    assert above_chance(seen, known) == pytest.approx(1.0)
