"""The student of two benchmarks: a linear softmax head on frozen embeddings, fitted to its optimum.

Thousands of students are needed, and one that has no randomness of its own keeps the noise of a comparison small.
The loss is the cross-entropy to a target distribution per row: one-hot for a gold label, the teacher's confidences
inside its candidate set otherwise. It is convex, so that a bad start cannot be taken for a bad selection.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from model.arrays import FloatArray, softmax

Flat = npt.NDArray[np.float64]

RIDGE = 10.0  # per squared weight and mean loss, on inputs of unit variance; chosen on train parts
STEPS = 60


@dataclass(frozen=True)
class LinearStudent:
    """Weights `(d, C)` and bias `(C,)` on vectors of the encoder."""

    weights: FloatArray
    bias: FloatArray

    def __call__(self, vectors: FloatArray) -> FloatArray:
        """Probabilities `(b, C)`."""
        return softmax(vectors @ self.weights + self.bias)


def fit(vectors: FloatArray, targets: FloatArray, ridge: float = RIDGE) -> LinearStudent:
    """Fit on vectors `(n, d)` and target distributions `(n, C)` with L-BFGS, from zero."""
    from scipy.optimize import minimize

    mean = vectors.mean(axis=0)
    scale = 1.0 / max(float((vectors - mean).std()), 1e-6)
    inputs = ((vectors - mean) * scale).astype(np.float32)
    rows, width, labels = len(inputs), inputs.shape[1], targets.shape[1]

    def loss(flat: Flat) -> tuple[float, Flat]:
        weights = flat[: width * labels].reshape(width, labels).astype(np.float32)
        probs = softmax(inputs @ weights + flat[width * labels :].astype(np.float32))
        slope = (probs - targets) / rows
        gradient = np.concatenate([(inputs.T @ slope + 2 * ridge / width * weights).ravel(), slope.sum(axis=0)])
        value = -float((targets * np.log(np.maximum(probs, 1e-12))).sum()) / rows
        return value + ridge / width * float((weights**2).sum()), gradient.astype(np.float64)

    start = np.zeros(width * labels + labels)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": STEPS, "ftol": 1e-6}).x
    weights = (found[: width * labels].reshape(width, labels) * scale).astype(np.float32)
    return LinearStudent(weights, (found[width * labels :] - mean @ weights).astype(np.float32))
