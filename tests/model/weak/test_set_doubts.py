"""Sets of labels, and levels in order, that others doubt."""

from __future__ import annotations

import numpy as np

from model.weak.doubts import doubts, level_doubts
from model.weak.judges import Known
from model.weak.set_doubts import set_doubts
from tests.support.toys import Toy

ROWS = 400


def sets_of(toy: Toy) -> np.ndarray:
    """Two labels of six: the class, and which half of the classes it is in."""
    found = np.zeros((ROWS, 6), np.bool_)
    found[np.arange(ROWS), toy.labels] = True
    found[np.arange(ROWS), 4 + toy.labels // 2] = True
    return found


def test_planted_wrong_labels_of_sets_are_doubted_most_and_what_others_say_is_right() -> None:
    toy, draw = Toy(ROWS, 4, noise=0.5, seed=2), np.random.default_rng(0)
    truth = sets_of(toy)
    wrong = draw.choice(ROWS, 20, replace=False)
    given = truth.copy()
    column = draw.integers(0, 6, 20)
    given[wrong, column] ^= True
    nobody = np.zeros_like(given)
    found = set_doubts(toy.embed(toy.texts), given, np.arange(ROWS), nobody, nobody[:, 0])
    first = np.argsort(found.margins)[:20]
    assert np.isin(first, wrong).mean() > 0.7
    hit = first[np.isin(first, wrong)]
    assert (found.said[hit] == truth[hit]).all(axis=1).mean() > 0.7
    assert (found.said != given).any(axis=1).all(), "a doubt says something else"
    assert found.agreement > 0.7


def test_a_set_with_too_few_labels_is_never_said() -> None:
    toy = Toy(ROWS, 4, noise=0.5, seed=2)
    given = np.eye(4, dtype=np.bool_)[(toy.labels + (np.arange(ROWS) % 20 == 0)) % 4]
    nobody = np.zeros_like(given)
    asked = (toy.embed(toy.texts), given, np.arange(ROWS), nobody, nobody[:, 0])
    assert (set_doubts(*asked, least=1).said.sum(axis=1) >= 1).all()
    assert (set_doubts(*asked, least=0).said.sum(axis=1) == 0).any()


def test_the_teacher_counts_as_far_as_it_tells_right_labels_from_wrong_ones() -> None:
    toy = Toy(ROWS, 4, noise=3.0, seed=2)  # texts tell next to nothing
    truth = sets_of(toy)
    given = truth.copy()
    given[:10, 0] ^= True
    told = np.ones(ROWS, np.bool_)
    vectors, groups = toy.embed(toy.texts), np.arange(ROWS)
    good = set_doubts(vectors, given, groups, truth, told)
    noise = set_doubts(vectors, given, groups, np.ones_like(truth), told)
    assert np.isin(np.argsort(good.margins)[:10], np.arange(10)).mean() > 0.7
    assert np.isin(np.argsort(noise.margins)[:10], np.arange(10)).mean() < 0.5


def test_one_level_off_is_no_doubt_and_two_levels_are() -> None:
    toy, draw = Toy(ROWS, 5, noise=0.5, seed=4), np.random.default_rng(0)
    levels = toy.labels.astype(np.int64).copy()
    near, far = np.split(draw.permutation(ROWS)[:40], 2)
    levels[near] = np.where(levels[near] > 0, levels[near] - 1, 1)
    levels[far] = (levels[far] + np.where(levels[far] > 2, -3, 2)) % 5
    known = Known(np.arange(ROWS), levels, np.arange(ROWS), np.ones(ROWS))
    vectors, nobody = toy.embed(toy.texts), np.full(ROWS, -1)
    found, plain = level_doubts(vectors, known, nobody, 5), doubts(vectors, known, nobody, 5)
    first = np.argsort(found.margins)[:20]
    assert np.isin(first, far).mean() > 0.7
    assert (np.abs(found.said - levels) > 1).all()
    assert np.isin(np.argsort(plain.margins)[:20], far).mean() < np.isin(first, far).mean()
    assert found.accuracy > plain.accuracy
