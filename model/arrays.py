"""Names for the arrays and callbacks that travel between the files of the learning half, and softmax."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

FloatArray: TypeAlias = npt.NDArray[np.float32]
Doubles: TypeAlias = npt.NDArray[np.float64]  # probabilities of events, not of labels
BoolArray: TypeAlias = npt.NDArray[np.bool_]
IntArray: TypeAlias = npt.NDArray[np.int64]

Embed: TypeAlias = Callable[[Sequence[str]], FloatArray]  # n texts to float32 (n, d), L2-normalised rows
Progress: TypeAlias = Callable[[float, str], None]  # share done in [0, 1], what is being done
Stop: TypeAlias = Callable[[], bool]  # whether to give up


def softmax(logits: FloatArray, temperature: float = 1.0) -> FloatArray:
    """Probabilities `(n, C)` float32 of `logits / temperature`."""
    scaled = logits / np.float32(temperature)
    scaled -= scaled.max(axis=1, keepdims=True)
    powers = np.exp(scaled)
    shares: FloatArray = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
    return shares
