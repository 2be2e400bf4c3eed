"""A sorted file must not teach that everything is its first label."""

from __future__ import annotations

import numpy as np
import pytest

from model.weak.representative import representative


def pool(num_labels: int, rows: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    """A teacher that is right seven times in ten, and the true labels."""
    random = np.random.default_rng(0)
    truth = random.integers(num_labels, size=rows)
    said = np.where(random.random(rows) < 0.7, truth, random.integers(num_labels, size=rows))
    posterior = np.full((rows, num_labels), 0.4 / num_labels)
    posterior[np.arange(rows), said] += 0.6
    return posterior.astype(np.float16), truth


@pytest.mark.parametrize("num_labels", [2, 5, 77])
@pytest.mark.parametrize("number", [10, 20, 50, 200])
def test_random_samples_are_representative_and_sorted_ones_are_not(num_labels: int, number: int) -> None:
    posterior, truth = pool(num_labels)
    random = np.random.default_rng(1)
    for _ in range(20):
        rows = random.choice(len(truth), number, replace=False)
        assert representative(posterior, rows, truth[rows])
    rows = np.argsort(truth, kind="stable")[:number]
    assert not representative(posterior, rows, truth[rows])


def test_no_labels_contradict_nothing() -> None:
    posterior, truth = pool(5)
    assert representative(posterior, np.arange(0), truth[:0])
