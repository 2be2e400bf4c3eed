"""Temperatures, so that the base model is not more or less sure than the student only because of its scale."""

from __future__ import annotations

import numpy as np

from model.acquisition.pool import Probabilities
from model.arrays import FloatArray, IntArray

LOWEST, HIGHEST = 1e-3, 1e3
SAMPLE = 4096  # rows on which temperatures are matched


def softened(probabilities: FloatArray, temperature: float) -> FloatArray:
    """`p^(1/T)` re-normalised, `(b, C)`: what softmax(logits / T) would give."""
    logs = np.log(np.maximum(probabilities, 1e-30)) / np.float32(temperature)
    logs -= logs.max(axis=1, keepdims=True)
    powers = np.exp(logs)
    shares: FloatArray = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
    return shares


def temperature_for(probabilities: FloatArray, confidence: float) -> float:
    """The temperature at which the mean largest probability equals `confidence`, by bisection on its logarithm.

    Where no temperature reaches it (a constant base model), the nearest end of [0.001, 1000].
    """
    low, high = np.log(LOWEST), np.log(HIGHEST)
    for _ in range(40):
        middle = (low + high) / 2
        if softened(probabilities, float(np.exp(middle))).max(axis=1).mean() > confidence:
            low = middle
        else:
            high = middle
    return float(np.exp((low + high) / 2))


def matching_temperature(student: Probabilities, base: Probabilities, rows: IntArray) -> float:
    """The base model's temperature at which both are equally sure on average, from an even sample of `rows`."""
    sample = rows[:: max(1, -(-len(rows) // SAMPLE))]
    if len(sample) == 0:
        return 1.0
    return temperature_for(base(sample), float(student(sample).max(axis=1).mean()))


def tempered(source: Probabilities, temperature: float) -> Probabilities:
    """`source` at another temperature."""
    return lambda rows: softened(source(rows), temperature)
