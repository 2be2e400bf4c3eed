"""Rotated embeddings: regressions on them are those on the embeddings themselves, in memory or piece by piece."""

from __future__ import annotations

import numpy as np
import pytest

from model.errors import TrainingStopped
from model.weak import chunks
from model.weak import space as module
from model.weak.neighbours import Opinion
from model.weak.space import Space

RANDOM = np.random.default_rng(0)
VECTORS = RANDOM.normal(size=(60, 5)).astype(np.float32)
TARGETS = RANDOM.dirichlet(np.ones(3), 60).astype(np.float16)


def test_what_is_left_out_is_what_a_regression_without_the_row_says() -> None:
    opinion = Opinion(Space(VECTORS), TARGETS, np.arange(60))
    said, penalty = opinion.left_out(slice(None)), opinion.agreement.penalty
    inputs = np.hstack([VECTORS - VECTORS.mean(0), np.ones((60, 1))])
    for row in (0, 17, 59):
        rest = np.arange(60) != row
        gram = inputs[rest].T @ inputs[rest] + penalty * np.eye(6)
        weights = np.linalg.solve(gram, inputs[rest].T @ TARGETS[rest].astype(np.float64))
        assert said[row] == pytest.approx(inputs[row] @ weights, abs=1e-4)


def test_rows_that_are_not_kept_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Space(VECTORS)
    wanted = TARGETS.astype(np.float32)
    monkeypatch.setattr(module, "KEPT_BYTES", 0)
    monkeypatch.setattr(chunks, "CHUNK", 7)
    made = Space(VECTORS.astype(np.float16))
    assert np.allclose(made.values, kept.values, rtol=1e-2)
    again = Space(VECTORS)
    piece = slice(7, 14)
    axes = np.sign((again.states(piece) * kept.states(piece)).sum(0))  # an axis may point either way
    assert np.allclose(again.states(piece), axes * kept.states(piece), atol=1e-4)
    assert np.allclose(
        again.products(piece, wanted[piece]), axes[:, None] * kept.products(piece, wanted[piece]), atol=1e-4
    )


def test_some_rows_have_a_space_of_their_own_and_all_rows_have_the_same() -> None:
    space = Space(VECTORS)
    assert space.of(np.arange(60)) is space
    assert len(space.of(np.arange(0, 60, 2))) == 30
    with pytest.raises(TrainingStopped):
        Space(VECTORS, stop=lambda: True)
