"""Base scores p0: what the frozen encoder alone would answer. All need vectors only; see `from_vectors`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.arrays import FloatArray, softmax
from model.errors import NotEnoughDataError

LEAST_ROWS = 5  # per label, for class means and for the probe; per part of the cosines
PARTS = 20  # of the cosines of pairs


def unit(vectors: FloatArray) -> FloatArray:
    """Rows of length 1."""
    scaled: FloatArray = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return scaled


@dataclass(frozen=True)
class LabelSimilarity:
    """Cosine of a text with the label names, `(C, d)`, over a temperature: needs no label at all."""

    labels: FloatArray
    temperature: float = 0.05

    def __call__(self, vectors: FloatArray) -> FloatArray:
        """Probabilities `(b, C)`."""
        return softmax(unit(vectors) @ unit(self.labels).T / np.float32(self.temperature))


@dataclass(frozen=True)
class CosineBase:
    """What the frozen encoder alone would say of a pair of texts: the student's mean answer for pairs of about the same
    cosine. `edges` `(k,)` are cosines, rising, `shares` `(k, C)` the answers there; between them it is linear."""

    edges: FloatArray
    shares: FloatArray

    @classmethod
    def fit(cls, cosines: FloatArray, answers: FloatArray) -> CosineBase:
        """From cosines `(n,)` of pairs and a student's probabilities `(n, C)` for them: means of 20 parts, or fewer."""
        order = np.argsort(cosines, kind="stable")
        parts = np.array_split(order, max(1, min(PARTS, len(order) // LEAST_ROWS)))
        edges = np.array([cosines[part].mean() for part in parts], np.float32)
        return cls(edges, np.stack([answers[part].mean(axis=0) for part in parts]).astype(np.float32))

    def __call__(self, cosines: FloatArray) -> FloatArray:
        """Probabilities `(b, C)`."""
        columns = [np.interp(cosines, self.edges, column) for column in self.shares.T]
        return np.stack(columns, axis=1).astype(np.float32)


@dataclass(frozen=True)
class ClassMeans:
    """Cosine with the mean vector of each label, over a temperature."""

    means: FloatArray
    temperature: float = 0.05

    @classmethod
    def fit(cls, vectors: FloatArray, targets: FloatArray, temperature: float = 0.05) -> ClassMeans:
        """Means of `vectors` `(n, d)` weighted by the student's targets `(n, C)`.

        NotEnoughDataError with fewer than five rows' weight for some label.
        """
        weights = enough(targets).sum(axis=0)
        return cls(unit(targets.T @ vectors / weights[:, None]), temperature)

    def __call__(self, vectors: FloatArray) -> FloatArray:
        """Probabilities `(b, C)`."""
        return softmax(unit(vectors) @ self.means.T / np.float32(self.temperature))


@dataclass(frozen=True)
class LinearProbe:
    """Ridge regression from vectors to targets, its answers over a temperature. For fine-tuned students only: with a
    frozen encoder it is nearly the student itself."""

    weights: FloatArray
    bias: FloatArray
    temperature: float = 0.1

    @classmethod
    def fit(cls, vectors: FloatArray, targets: FloatArray, ridge: float = 1.0, temperature: float = 0.1) -> LinearProbe:
        """Closed form on `vectors` `(n, d)` and targets `(n, C)`. NotEnoughDataError as for class means."""
        enough(targets)
        centre, level = vectors.mean(axis=0), targets.mean(axis=0)
        inputs = (vectors - centre).astype(np.float64)
        gram = inputs.T @ inputs + ridge * np.eye(inputs.shape[1])
        weights = np.linalg.solve(gram, inputs.T @ (targets - level)).astype(np.float32)
        return cls(weights, (level - centre @ weights).astype(np.float32), temperature)

    def __call__(self, vectors: FloatArray) -> FloatArray:
        """Probabilities `(b, C)`."""
        return softmax((vectors @ self.weights + self.bias) / np.float32(self.temperature))


def enough(targets: FloatArray) -> FloatArray:
    """The targets, if every label has the weight of five rows; else NotEnoughDataError names how many have not."""
    poor = int((targets.sum(axis=0) < LEAST_ROWS).sum())
    if poor:
        raise NotEnoughDataError(
            f"{poor} of {targets.shape[1]} labels have fewer than {LEAST_ROWS} tasks; use the label names' similarity"
        )
    return targets
