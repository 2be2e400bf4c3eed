"""Label frequencies: three suppositions, each counting as people's labels bear it out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.arrays import IntArray
from model.training.data import TrainingData
from model.weak.chunks import Dense, Shares, normalised, softened
from model.weak.judges import Known, beyond_chance, mean_maximum
from model.weak.posterior import EVEN_STRENGTH, teacher_posterior
from model.weak.prior import Prior, bias, chance, weighed

SHARES = np.array([[0.9, 0.1], [0.6, 0.4], [0.7, 0.3], [0.2, 0.8]])
ROWS = 2_000


def known(rows: IntArray, labels: IntArray) -> Known:
    return Known(rows, labels, rows, np.ones(len(rows)))


class World:
    """Labels with such frequencies; a teacher that knows them, or one that prefers the last label by so many nats."""

    def __init__(self, shares: list[float], preference: float, seed: int) -> None:
        self._random, self.columns = np.random.default_rng(seed), len(shares)
        logits = self._random.normal(size=(ROWS, self.columns)) * 1.5 + np.log(shares)
        right = softened(logits)  # the truth is drawn from it, so nobody can know more
        self.truth: IntArray = (right.cumsum(1) > self._random.random((ROWS, 1))).argmax(1).astype(np.int64)
        logits[:, -1] += preference
        self.said: Shares = softened(logits).astype(np.float16)

    def even(self) -> Shares:
        said = self.said.astype(np.float64)
        return normalised(said / said.mean(0) ** EVEN_STRENGTH).astype(np.float16)

    def right(self, shares: Shares) -> float:
        return float((shares.argmax(1) == self.truth).mean())

    def weighed(self, number: int) -> tuple[Shares, Dense, Prior]:
        rows = self._random.choice(ROWS, number, replace=False)
        counts = np.bincount(self.truth[rows], minlength=self.columns).astype(np.float64)
        return weighed(self.said, self.even, counts, known(rows, self.truth[rows]))


def test_vectors_of_division() -> None:
    data = TrainingData(list("abcd"), SHARES > 0, np.zeros(4, np.bool_), SHARES.astype(np.float32), SHARES > 0)
    divided = normalised(SHARES / SHARES.mean(0) ** EVEN_STRENGTH)
    assert divided[:, 0] == pytest.approx([0.869112, 0.525320, 0.632556, 0.155724], abs=1e-6)
    assert teacher_posterior(data, 0.0, 0.0)[:, 0] == pytest.approx(SHARES[:, 0], abs=1e-3)


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 5), st.integers(0, 999))
def test_fitted_factors_make_the_labels_likeliest_and_follow_permuted_labels(columns: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    logs = np.log(random.dirichlet(np.ones(columns), 30) * 0.9 + 0.1 / columns)
    labels, weights = random.integers(columns, size=30), random.random(30) + 0.1
    found = bias(logs, labels, weights, 1.0)
    expected = weights @ softened(logs + found) + found
    assert expected == pytest.approx(np.bincount(labels, weights, columns), abs=1e-4)
    order = random.permutation(columns)
    assert bias(logs[:, order], np.argsort(order)[labels], weights, 1.0) == pytest.approx(found[order], abs=1e-4)


@pytest.mark.parametrize("told_even", [False, True])
def test_without_a_fair_sample_it_is_as_the_teacher_says_or_as_was_told(told_even: bool) -> None:
    world, rows = World([0.5, 0.5], 0.0, 0), np.arange(9)
    counts = np.bincount(world.truth[rows], minlength=2) * 1.0
    found, unseen, prior = weighed(world.said, world.even, counts, known(rows, world.truth[rows]), told_even=told_even)
    wanted = world.even() if told_even else world.said
    assert np.array_equal(found, wanted)
    assert unseen == pytest.approx(wanted[:9].astype(np.float64))
    assert (prior.teacher, prior.even, prior.people) == (not told_even, told_even, 0)


def test_what_a_few_labels_say_of_the_pool() -> None:
    """A preference on an even pool is taken back; on an uneven one, equal frequencies are ruled out."""
    even = [World([0.25] * 4, 1.5, seed) for seed in range(8)]
    gains = [world.right(world.weighed(20)[0]) - world.right(world.said) for world in even]
    whole = [world.right(world.even()) - world.right(world.said) for world in even]
    assert np.mean(gains) > 0.6 * np.mean(whole) > 0.03
    uneven = [World([0.85, 0.05, 0.05, 0.05], 4.0, seed) for seed in range(8)]
    found = [world.weighed(20) for world in uneven]
    assert np.mean([prior.even for _, _, prior in found]) < 0.05
    assert (
        np.mean([world.right(one[0]) - world.right(world.said) for world, one in zip(uneven, found, strict=True)])
        > 0.05
    )


@pytest.mark.parametrize("shares", [[0.5, 0.5], [0.95, 0.05], [0.8, 0.05, 0.05, 0.05, 0.05], [0.1] * 10])
def test_where_nothing_is_to_be_corrected_hardly_a_draw_loses_two_points(shares: list[float]) -> None:
    for number, least in ((10, -0.03), (20, -0.02), (50, -0.02)):
        worlds = [World(shares, 0.0, seed) for seed in range(15)]
        gains = [world.right(world.weighed(number)[0]) - world.right(world.said) for world in worlds]
        assert min(gains) >= least, number
        assert np.mean(gains) >= -0.005, number


def test_what_is_believed_without_a_rows_label_does_not_know_it() -> None:
    random, gains = np.random.default_rng(3), []
    flat = np.full((100, 2), 0.5, np.float16)
    for _ in range(40):
        labels = random.integers(2, size=20)
        counts = np.bincount(labels, minlength=2) * 1.0
        _, unseen, _ = weighed(flat, lambda: flat, counts, known(np.arange(20), labels))
        gains.append(unseen[np.arange(20), labels].mean() - 0.5)
    assert np.mean(gains) < 0.005


def test_a_fair_sample_contradicts_a_right_teacher_as_rarely_as_it_says() -> None:
    random, mean = np.random.default_rng(1), np.array([0.7, 0.2, 0.1])
    below = [chance(random.multinomial(30, mean) * 1.0, mean, seed) < 0.05 for seed in range(300)]
    assert np.mean(below) < 0.09


def test_the_winner_of_many_settings_needs_more_than_one_standard_error() -> None:
    assert [round(mean_maximum(count), 2) for count in (4, 12, 24, 100)] == [1.03, 1.63, 1.95, 2.51]
    random = np.random.default_rng(2)
    wins = [beyond_chance(random.normal(size=(12, 50)).T[:, 0], 12) for _ in range(200)]
    assert np.mean(wins) < 0.12
    draws = [random.normal(size=(12, 50)) for _ in range(200)]
    best = [beyond_chance(draw[draw.mean(1).argmax()], 12) for draw in draws]
    assert np.mean(best) < 0.65  # where one standard error would let nearly all of them pass
    assert beyond_chance(np.full(20, 0.1) + random.normal(size=20) * 0.01, 12)
    gains = np.tile([1.5, -0.5], 10)
    assert beyond_chance(gains, 12)
    assert not beyond_chance(gains, 12, doubt=50)  # twenty labels that taught what they judge
