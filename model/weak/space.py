"""Embeddings as regressions want them: centred, with a constant, along the axes of their Gram matrix.

Every ridge regression on the same rows shares this, whatever its targets and penalty; it is most of their work.
"""

from __future__ import annotations

import numpy as np

from model.arrays import FloatArray, IntArray, Stop
from model.weak.chunks import Dense, pieces

KEPT_BYTES = 256 * 2**20  # of rotated rows in memory; where they are more, they are computed at every pass


class Space:
    """`values` `(width,)` float64 are the Gram matrix's eigenvalues; `states` are the rows along its axes, float32."""

    def __init__(self, vectors: FloatArray, stop: Stop | None = None) -> None:
        self._vectors, self.stop = vectors, stop
        self.width = vectors.shape[1] + 1
        total = np.zeros(vectors.shape[1])
        for piece in pieces(len(vectors), stop):
            total += vectors[piece].sum(0, dtype=np.float64)
        self._mean = (total / max(1, len(vectors))).astype(np.float32)
        gram = np.zeros((self.width, self.width))
        for piece in pieces(len(vectors), stop):
            inputs = self._inputs(piece)
            gram += inputs.T @ inputs
        values, basis = np.linalg.eigh(gram)
        self.values: Dense = np.maximum(values, 0.0)
        self._basis = basis.astype(np.float32)
        self._kept: FloatArray | None = None
        if len(vectors) * self.width * 4 <= KEPT_BYTES:
            self._kept = self._inputs(slice(None)) @ self._basis

    def __len__(self) -> int:
        return len(self._vectors)

    def of(self, rows: IntArray) -> Space:
        """The space of some of the rows; the same one for all of them."""
        return self if len(rows) == len(self) else Space(self._vectors[rows], self.stop)

    def states(self, piece: slice) -> FloatArray:
        """Some rows along the axes, `(b, width)`."""
        return self._inputs(piece) @ self._basis if self._kept is None else self._kept[piece]

    def products(self, piece: slice, targets: FloatArray) -> FloatArray:
        """Transposed states of some rows times their targets `(b, C)`: `(width, C)`."""
        if self._kept is not None:
            return self._kept[piece].T @ targets
        return self._basis.T @ (self._inputs(piece).T @ targets)

    def _inputs(self, piece: slice) -> FloatArray:
        vectors = np.asarray(self._vectors[piece], np.float32) - self._mean
        return np.hstack([vectors, np.ones((len(vectors), 1), np.float32)])
