"""Passes over many rows in pieces, so that no float64 matrix of all rows and labels ever exists."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from model.arrays import Stop
from model.errors import TrainingStopped

CHUNK = 16384
Shares: TypeAlias = npt.NDArray[np.float16]  # (n, C), the only matrix of this size that is kept
Dense: TypeAlias = npt.NDArray[np.float64]  # small or a piece


def pieces(rows: int, stop: Stop | None = None) -> Iterator[slice]:
    """Consecutive slices that cover all rows; TrainingStopped before the next one once `stop()` says so."""
    for start in range(0, rows, CHUNK):
        if stop is not None and stop():
            raise TrainingStopped("stopped while weighing what is known about the tasks")
        yield slice(start, min(rows, start + CHUNK))


def normalised(values: Dense) -> Dense:
    """Rows divided by their sums; all-zero rows become uniform."""
    total = values.sum(1, keepdims=True)
    shares: Dense = np.where(total > 0, values / np.maximum(total, 1e-12), 1.0 / values.shape[1])
    return shares


def softened(logits: Dense) -> Dense:
    """Softmax of every row."""
    powers = np.exp(logits - logits.max(1, keepdims=True))
    shares: Dense = powers / powers.sum(1, keepdims=True)
    return shares
