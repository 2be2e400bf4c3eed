"""Calibrated weighted votes: every source of evidence gets the weight that human labels give it.

A source is a member (its log-probabilities) or an answer without probabilities (a vote, the teacher's first label),
which becomes log P(answer | true label) through a confusion matrix. Sources are pooled log-linearly with weights >= 0;
a useless source gets weight 0, so that a weak reviewer cannot pull a good committee down.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model.arrays import FloatArray, IntArray, softmax
from model.errors import NotEnoughDataError

FLOOR = 1e-4  # smallest probability a member may give: one wrong certainty must not decide alone
STEPS, RATE, PULL = 400, 0.3, 4.0
LEAST_LABELS = 20  # human labels below which weights would be noise


@dataclass(frozen=True)
class Confusion:
    """P(answer | true label), `(C, C + 1)`; the last column stands for no answer."""

    matrix: FloatArray

    @classmethod
    def fit(cls, answers: IntArray, gold: IntArray, labels: int, strength: float = 5.0) -> Confusion:
        """From answers `(n,)` (-1: none) on tasks with known labels.

        Each row starts from `strength` pseudo-counts of an answerer that is right as often as this one is overall and
        errs evenly, so that a few tasks per label are enough.
        """
        rows = len(gold)
        right = (float((answers == gold).sum()) + 1.0) / (rows + 2.0)
        silent = (float((answers < 0).sum()) + 0.1) / (rows + 1.0)
        even = np.full((labels, labels + 1), (1.0 - right) / labels)
        even[np.arange(labels), np.arange(labels)] = right
        even[:, labels] = min(silent, (1.0 - right))
        counts = strength * even / even.sum(axis=1, keepdims=True)
        np.add.at(counts, (gold, np.where(answers < 0, labels, answers)), 1.0)
        return cls((counts / counts.sum(axis=1, keepdims=True)).astype(np.float32))

    def evidence(self, answers: IntArray) -> FloatArray:
        """log P(answer | label) of answers `(n,)`, as `(n, C)`."""
        columns = np.where(answers < 0, self.matrix.shape[0], answers)
        logs: FloatArray = np.log(self.matrix[:, columns].T)
        return logs


def member_evidence(probabilities: FloatArray) -> FloatArray:
    """log p of a member's probabilities `(n, C)`, bounded from below; 0 everywhere where it abstains."""
    spoke = probabilities.sum(axis=1, keepdims=True) > 0
    logs: FloatArray = np.where(spoke, np.log(np.maximum(probabilities, FLOOR)), 0.0).astype(np.float32)
    return logs


@dataclass(frozen=True)
class Pooling:
    """One weight >= 0 per source."""

    weights: FloatArray

    @classmethod
    def fit(cls, evidence: Sequence[FloatArray], gold: IntArray) -> Pooling:
        """Maximum likelihood on tasks with human labels: sources `(n, C)` each, gold `(n,)`, pulled towards weights in
        proportion to each one's accuracy above chance; the fewer labels, the harder. Members must not have been trained
        on these tasks (cross-fit them).

        NotEnoughDataError below 20 labels.
        """
        if len(gold) < LEAST_LABELS:
            raise NotEnoughDataError(
                f"{len(gold)} human labels, at least {LEAST_LABELS} are needed to weigh the members"
            )
        stacked = np.stack(evidence).astype(np.float64)
        skill = np.maximum((stacked.argmax(axis=2) == gold).mean(axis=1) - 1.0 / stacked.shape[2], 1e-3)
        start = skill / skill.sum()
        weights = start.copy()
        rows = np.arange(len(gold))
        for _ in range(STEPS):
            probs = softmax(np.tensordot(weights, stacked, axes=1).astype(np.float32))
            error = -probs.astype(np.float64)
            error[rows, gold] += 1.0
            slope = (stacked * error).sum(axis=(1, 2)) / len(gold) - PULL / len(gold) * (weights - start)
            weights = np.maximum(weights + RATE * slope, 0.0)
        return cls(weights.astype(np.float32))

    @classmethod
    def equal(cls, sources: int) -> Pooling:
        """Without human labels: the geometric mean of all sources."""
        return cls(np.full(sources, 1.0 / max(1, sources), np.float32))

    def posterior(self, evidence: Sequence[FloatArray]) -> FloatArray:
        """Probabilities `(n, C)` of sources `(n, C)` each, in the order of the fit."""
        if len(evidence) != len(self.weights):
            raise ValueError(f"{len(evidence)} sources for {len(self.weights)} weights")
        return softmax(np.tensordot(self.weights, np.stack(evidence), axes=1).astype(np.float32))


def expected_gain(posterior: FloatArray, confusion: Confusion, weight: float = 1.0) -> FloatArray:
    """How much the probability of being right rises on average by one more answer of the teacher, `(n,)` >= 0.

    `sum_a P(a) max_y P(y | a) - max_y P(y)`, the value of information for 0/1 loss; `weight` is the teacher's weight in
    the pooling.
    """
    likelihood = confusion.matrix  # (C, A)
    pull = likelihood.astype(np.float64) ** weight
    chance = posterior @ likelihood  # (n, A)
    gain = -posterior.max(axis=1).astype(np.float64)
    for answer in range(likelihood.shape[1]):
        joint = posterior * pull[:, answer]
        best = joint.argmax(axis=1)
        after = posterior[np.arange(len(posterior)), best] * likelihood[best, answer]
        gain += np.where(chance[:, answer] > 0, after, 0.0)
    result: FloatArray = np.maximum(gain, 0.0).astype(np.float32)
    return result
