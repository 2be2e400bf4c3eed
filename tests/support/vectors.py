"""Pools for tests of acquisition."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from model.acquisition.pool import Pool, from_array
from model.arrays import FloatArray


def toy_pool(rows: int = 200, labels: int = 4, width: int = 8, seed: int = 0) -> Pool:
    """Random vectors, a random student, base model and three members."""
    random = np.random.default_rng(seed)

    def answers() -> FloatArray:
        return random.dirichlet(np.ones(labels), rows).astype(np.float32)

    vectors = random.normal(size=(rows, width)).astype(np.float32)
    return Pool(
        rows, from_array(answers()), from_array(answers()), tuple(from_array(answers()) for _ in range(3)), vectors
    )


def distributions(rows: int, labels: int) -> st.SearchStrategy[FloatArray]:
    """Rows of probabilities that sum to 1, zeros allowed."""
    weights = arrays.arrays(np.float64, (rows, labels), elements=st.floats(0, 1))

    def normal(found: np.ndarray) -> FloatArray:
        filled = np.where(found.sum(axis=1, keepdims=True) < 1e-3, 1.0, found)
        return (filled / filled.sum(axis=1, keepdims=True)).astype(np.float32)

    return weights.map(normal)
