"""The theorem's two conditions, reproduced: when one label misleads and two labels do not."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.noise_theorem import World, accuracy, cyclic_flips, experiment, outputs, top_targets

WORLD = World()
# flips to the next and the second label; level; condition 6 and 7; accuracies of teacher, top-1 and top-2 student
TABLE = [
    (20, 5, 0.45, True, True, 100, 100, 100),
    (17, 16, 0.50, False, True, 67, 67, 100),
    (20, 10, 0.50, False, True, 80, 100, 100),
    (25, 10, 0.60, False, True, 75, 75, 100),
    (40, 15, 0.95, False, True, 45, 45, 100),
    (44, 11, 0.99, False, True, 45, 45, 100),
    (50, 10, 1.10, False, False, 40, 40, 0),
]


def test_constants() -> None:
    assert pytest.approx(0.333333, abs=1e-6) == WORLD.theta
    assert pytest.approx(0.975904, abs=1e-6) == WORLD.phi
    assert pytest.approx(0.518750, abs=1e-6) == WORLD.ratio


@pytest.mark.parametrize(("one", "two", "level", "six", "seven", "teacher", "top1", "top2"), TABLE)
def test_the_table(
    one: int, two: int, level: float, six: bool, seven: bool, teacher: float, top1: float, top2: float
) -> None:
    found = experiment(WORLD, one, two)
    assert found.level == pytest.approx(level)
    assert (found.first_holds, found.second_holds) == (six, seven)
    assert (round(found.teacher), round(found.top1), round(found.top2)) == (teacher, top1, top2)


def test_matrix_and_closed_form_agree() -> None:
    targets = np.eye(3)[cyclic_flips(WORLD, 30, 10)]
    means = np.stack([targets[WORLD.truth == label].mean(0) for label in range(3)])[WORLD.truth]
    closed = WORLD.theta * targets + (WORLD.phi - WORLD.theta) * means + (1 - WORLD.phi) / 3
    assert np.abs(outputs(WORLD, targets) - closed).max() < 1e-12


def test_the_second_condition_is_not_sufficient_alone() -> None:
    world = World(regularisation=10.0)
    assert (world.theta, world.phi) == (pytest.approx(0.047619, abs=1e-6), pytest.approx(0.801980, abs=1e-6))
    assert world.ratio == pytest.approx(0.063125, abs=1e-6)
    found = experiment(world, 20, 5)
    assert found.second_holds
    assert (found.teacher, found.top1, found.top2) == (100, 100, 0)


def test_with_fixed_regularisation_the_gap_between_the_conditions_closes() -> None:
    sizes = (300, 3000, 30000)
    ratios = [World(per_class=rows // 3, regularisation=3 * rows / 900).ratio for rows in sizes]
    assert ratios == pytest.approx([0.518750, 0.051313, 0.005126], abs=1e-6)
    steady = [World(per_class=rows // 3).ratio for rows in sizes]
    assert steady == pytest.approx([0.518750, 0.501875, 0.500188], abs=1e-6)


def test_ties_count_as_wrong() -> None:
    assert accuracy(World(labels=2, per_class=1), np.full((2, 2), 0.5)) == 0
    assert top_targets(np.array([[0.5, 0.5, 0.1]]), 2).tolist() == [[0.5, 0.5, 0.0]]
