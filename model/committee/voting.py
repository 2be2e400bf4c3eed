"""Votes: which label the members agree on, and when that is enough.

Arrays: k members, n tasks, C labels; `probabilities` float32 `(k, n, C)`. A member that has no opinion on a task (a row
of zeros) abstains; a label number of -1 means none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.arrays import BoolArray, FloatArray, IntArray
from model.decoding import chosen
from model.labels import AnswerKind, CandidateSet, LabelSpace


@dataclass(frozen=True)
class Tally:
    """The votes of n tasks. `top` is the most frequent label (-1 if nobody voted; the lowest of equals), `count` its
    votes, `tied` whether another label has as many, `confidence` the mean probability of `top` over those who voted."""

    votes: IntArray  # (k, n)
    top: IntArray
    count: IntArray
    tied: BoolArray
    confidence: FloatArray


def tally(probabilities: FloatArray, kind: AnswerKind = "one") -> Tally:
    """Count the votes of members' probabilities `(k, n, C)`: of levels in order each votes for the median."""
    labels = probabilities.shape[2]
    spoke = probabilities.sum(axis=2) > 0
    answers = chosen(kind, probabilities.reshape(-1, labels)).reshape(spoke.shape)
    votes = np.where(spoke, answers, -1).astype(np.int64)
    counts = np.stack([(votes == label).sum(axis=0) for label in range(labels)], axis=1)
    count = counts.max(axis=1)
    top = np.where(count > 0, counts.argmax(axis=1), -1).astype(np.int64)
    tied = (counts == count[:, None]).sum(axis=1) > 1
    for_top = np.take_along_axis(probabilities, np.maximum(top, 0)[None, :, None], axis=2)[:, :, 0]
    confidence = for_top.sum(axis=0) / np.maximum(spoke.sum(axis=0), 1)
    return Tally(votes, top, count.astype(np.int64), tied & (count > 0), confidence.astype(np.float32))


@dataclass(frozen=True)
class KOfN:
    """Accept a label with at least `accept_at` of `members` votes and at least `min_confidence`.

    `accept_at` equal to `members` is unanimity, as published; it must be a strict majority, else ValueError.
    """

    members: int
    accept_at: int
    min_confidence: float = 0.0

    def __post_init__(self) -> None:
        if not self.members / 2 < self.accept_at <= self.members:
            raise ValueError(
                f"accept_at {self.accept_at} is not a strict majority of {self.members} members; "
                f"allowed: {self.members // 2 + 1} to {self.members}"
            )

    def accepted(self, found: Tally) -> IntArray:
        """The accepted label of each task `(n,)`, -1 where it needs a review."""
        enough = (found.count >= self.accept_at) & (found.confidence >= self.min_confidence)
        return np.where(enough, found.top, -1).astype(np.int64)


@dataclass(frozen=True)
class Weighted:
    """Accept the label with the largest calibrated probability if that is at least `min_confidence`; see `Pooling`."""

    min_confidence: float

    def accepted(self, posterior: FloatArray) -> IntArray:
        """The accepted label of each row of `posterior` `(n, C)`, -1 where it needs a review."""
        enough = posterior.max(axis=1) >= self.min_confidence
        return np.where(enough, posterior.argmax(axis=1), -1).astype(np.int64)


def union_of_votes(
    probabilities: FloatArray, space: LabelSpace, weights: FloatArray | None = None
) -> list[CandidateSet | None]:
    """All labels that a member votes for, most weight first, as candidate sets; None where all abstain.

    Confidences are the members' mean probability (weighted by `weights` `(k,)`), re-normalised inside the set.
    """
    votes = tally(probabilities, space.answer).votes
    share = np.ones(len(votes), np.float32) if weights is None else np.asarray(weights, np.float32)
    mean = np.tensordot(share, probabilities, axes=1) / max(float(share.sum()), 1e-12)
    return [_candidates(set(column.tolist()) - {-1}, row, space) for column, row in zip(votes.T, mean, strict=True)]


def _candidates(labels: set[int], mean: FloatArray, space: LabelSpace) -> CandidateSet | None:
    if not labels:
        return None
    order = sorted(labels, key=lambda label: (-float(mean[label]), label))
    mass = max(float(mean[order].sum()), 1e-12)
    return CandidateSet(
        tuple(space.names[label] for label in order), tuple(float(mean[label]) / mass for label in order)
    )
