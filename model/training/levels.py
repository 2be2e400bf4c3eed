"""Levels in order: linear heads whose logits change evenly from one level to the next.

Of levels on one line log p(k + 1) / p(k) = f(x) + b_k: one direction for all borders instead of one for each level
(adjacent-category logits; Agresti, Analysis of Ordinal Categorical Data, 2010, section 4.1). Here other directions are
held back, not forbidden: what a head learns for K levels is Z M, where M shrinks all but the even change. So it is a
softmax like any other, and is stored, exported and served as one.
"""

from __future__ import annotations

import numpy as np

from model.arrays import FloatArray

UNEVEN = 0.3  # by which other directions than the even change are shrunk


def shrinking(levels: int) -> FloatArray:
    """M `(K, K)`: symmetric; it keeps an even change over K levels and shrinks what is at right angles to it.

    >>> (shrinking(3) @ np.array([-1, 0, 1])).tolist()
    [-1.0, 0.0, 1.0]
    """
    steps = np.arange(levels) - (levels - 1) / 2
    line = np.outer(steps, steps) / (steps @ steps)
    return np.asarray(line + UNEVEN * (np.eye(levels) - line), np.float32)
