"""Nothing that is believed may hurt: not before anybody labelled, not with few labels, not where pools are uneven."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from model.arrays import FloatArray, IntArray
from model.training.data import TrainingData
from model.training.options import TrainingOptions
from model.weak.beliefs import Beliefs, beliefs

FAST = TrainingOptions(epochs=15, hidden=16)
ROWS = 600
POOLS = {"95/5": [0.95, 0.05], "80 + 4 x 5": [0.8, 0.05, 0.05, 0.05, 0.05], "five even": [0.2] * 5}


class World:
    """Texts of labels with such shares, near their label's centre; a teacher with logistic evidence and no idea of the
    shares, perhaps with a preference of 1.5 nats for the last label."""

    def __init__(self, shares: list[float], biased: bool, seed: int, evidence: float = 1.6) -> None:
        random, labels = np.random.default_rng(seed), len(shares)
        self.truth: IntArray = random.choice(labels, ROWS, p=shares).astype(np.int64)
        centres = np.random.default_rng(99).normal(size=(labels, 16))
        self.vectors: FloatArray = (centres[self.truth] + 1.5 * random.normal(size=(ROWS, 16))).astype(np.float32)
        self.vectors /= np.linalg.norm(self.vectors, axis=1, keepdims=True)
        logits = evidence * np.eye(labels)[self.truth] + random.normal(size=(ROWS, labels))
        logits[:, -1] += 1.5 * biased
        said = np.exp(logits / 0.8)
        self.said = (said / said.sum(1, keepdims=True)).astype(np.float32)

    def data(self, rows: IntArray) -> TrainingData:
        sets = np.ones_like(self.said, np.bool_)
        candidates, human = sets.copy(), np.zeros(ROWS, np.bool_)
        candidates[rows] = np.eye(sets.shape[1], dtype=np.bool_)[self.truth[rows]]
        human[rows] = True
        texts = [f"text {row}" for row in range(ROWS)]
        return TrainingData(texts, candidates, human, self.said, sets, self.said.argmax(1).astype(np.int64))

    def believed(self, rows: IntArray, **more: object) -> Beliefs:
        return beliefs(dataclasses.replace(self.data(rows), **more), self.vectors, FAST)  # type: ignore[arg-type]

    def right(self, found: Beliefs, rows: IntArray) -> float:
        rest = np.setdiff1d(np.arange(ROWS), rows)
        return float((found.shares[rest].argmax(1) == self.truth[rest]).mean())

    def teacher(self, rows: IntArray) -> float:
        rest = np.setdiff1d(np.arange(ROWS), rows)
        return float((self.said[rest].argmax(1) == self.truth[rest]).mean())


def sample(seed: int, number: int) -> IntArray:
    return np.random.default_rng([seed, number]).choice(ROWS, number, replace=False)


@pytest.mark.parametrize("biased", [False, True], ids=["fair teacher", "biased teacher"])
@pytest.mark.parametrize("name", POOLS)
def test_never_below_the_teacher_with_any_number_of_random_labels(name: str, biased: bool) -> None:
    for number in (0, 10, 50):
        gains = []
        for seed in range(2):
            world, rows = World(POOLS[name], biased, seed), sample(seed, number)
            gains.append(world.right(world.believed(rows), rows) - world.teacher(rows))
        assert np.mean(gains) >= -0.005, number


def test_a_few_fair_labels_tell_that_a_pool_is_uneven() -> None:
    world, rows = World(POOLS["80 + 4 x 5"], True, 0), sample(0, 50)
    assert world.right(world.believed(rows), rows) > world.teacher(rows) + 0.1


def test_twenty_fair_labels_bring_the_correction_of_preferences_back() -> None:
    gains = []
    for seed in range(3):
        world, rows, nobody = World(POOLS["five even"], True, seed), sample(seed, 20), np.zeros(0, np.int64)
        even = beliefs(world.data(nobody), world.vectors, dataclasses.replace(FAST, frequencies="even"))
        before, after = world.right(world.believed(nobody), rows), world.right(world.believed(rows), rows)
        gains.append((after - before) / (world.right(even, rows) - before))
    assert np.mean(gains) > 0.7


def test_even_frequencies_bring_the_correction_of_preferences_back() -> None:
    world, nobody = World(POOLS["five even"], True, 0), np.zeros(0, np.int64)
    even = beliefs(world.data(nobody), world.vectors, dataclasses.replace(FAST, frequencies="even"))
    assert world.right(even, nobody) > world.right(world.believed(nobody), nobody) + 0.02


def test_labels_alone_are_a_floor_where_the_teacher_is_worthless() -> None:
    world, rows = World(POOLS["five even"], False, 1, evidence=-1.0), sample(1, 200)
    found = world.believed(rows)
    assert world.teacher(rows) < 0.15
    assert world.right(found, rows) > 0.6


def test_labels_of_a_sorted_file_are_set_aside_and_the_report_says_what_to_do() -> None:
    world = World(POOLS["five even"], False, 2)
    rows = np.argsort(world.truth, kind="stable")[:80].astype(np.int64)
    found = world.believed(rows)
    assert not found.representative
    assert "no sample of the pool" in found.set_aside
    assert "random order" in found.set_aside
    assert world.right(found, rows) >= world.teacher(rows) - 0.005


def test_labels_known_to_be_drawn_are_used_whatever_they_look_like() -> None:
    world = World(POOLS["five even"], False, 2)
    rows = np.argsort(world.truth, kind="stable")[:80].astype(np.int64)
    drawn = np.full(ROWS, np.nan, np.float32)
    drawn[rows] = 0.1
    found = world.believed(rows, propensity=drawn)
    assert found.representative
    assert found.set_aside == ""
    assert found.prior.labels == 80


def test_labels_chosen_by_doubt_do_not_hurt_and_say_nothing_about_frequencies() -> None:
    gains = []
    for seed in range(3):
        world = World(POOLS["80 + 4 x 5"], False, seed)
        best = np.sort(world.said, axis=1)
        rows = np.argsort(best[:, -1] - best[:, -2])[:50].astype(np.int64)
        nobody = world.believed(np.zeros(0, np.int64))
        for propensity in (None, np.zeros(ROWS, np.float32)):
            found = world.believed(rows, propensity=propensity)
            assert found.prior.labels == 0
            gains.append(world.right(found, rows) - world.right(nobody, rows))
    assert min(gains) >= -0.02
    assert np.mean(gains) >= -0.005
