"""The rivals: random order, uncertainty of the student, disagreement of a committee, size of the conformal set."""

from __future__ import annotations

import numpy as np

from model.acquisition.pool import Pool
from model.acquisition.score import Need, needed
from model.arrays import FloatArray, IntArray


def margins(probabilities: FloatArray) -> FloatArray:
    """Largest minus second largest probability, `(b,)`."""
    top = np.partition(probabilities, -2, axis=1)
    gap: FloatArray = top[:, -1] - top[:, -2]
    return gap


def entropies(probabilities: FloatArray) -> FloatArray:
    """Shannon entropy in bits, `(b,)`."""
    logs = np.log2(probabilities, out=np.zeros_like(probabilities), where=probabilities > 0)
    bits: FloatArray = -(probabilities * logs).sum(axis=1)
    return np.maximum(bits, 0.0)


def vote_entropies(votes: IntArray, num_labels: int) -> FloatArray:
    """Entropy in bits of the votes `(k, b)` of k members, `(b,)` (vote entropy of Dagan & Engelson 1995)."""
    shares = np.stack([(votes == label).mean(axis=0) for label in range(num_labels)], axis=1)
    return entropies(shares.astype(np.float32))


class RandomScore:
    """A fixed random number per row: the same for a seed, whatever else is asked."""

    name = "random"
    needs: tuple[Need, ...] = ()

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed

    def score(self, pool: Pool, rows: IntArray) -> FloatArray:
        """Uniform in [0, 1)."""
        drawn = np.random.default_rng(self._seed).random(pool.size, dtype=np.float32)
        return drawn[rows]


class LeastConfidence:
    """One minus the largest probability of the student."""

    name = "least-confidence"
    needs: tuple[Need, ...] = ("student",)

    def score(self, pool: Pool, rows: IntArray) -> FloatArray:
        """`1 - max pf`."""
        found: FloatArray = 1.0 - needed(pool.student, "a student's probabilities", self.name)(rows).max(axis=1)
        return found


class Margin:
    """One minus the distance between the student's first and second label."""

    name = "margin"
    needs: tuple[Need, ...] = ("student",)

    def score(self, pool: Pool, rows: IntArray) -> FloatArray:
        """`1 - (pf_first - pf_second)`."""
        found: FloatArray = 1.0 - margins(needed(pool.student, "a student's probabilities", self.name)(rows))
        return found


class Entropy:
    """Entropy of the student's distribution, in bits."""

    name = "entropy"
    needs: tuple[Need, ...] = ("student",)

    def score(self, pool: Pool, rows: IntArray) -> FloatArray:
        """`- sum pf log2 pf`."""
        return entropies(needed(pool.student, "a student's probabilities", self.name)(rows))


class BaseEntropy:
    """Entropy of the base model's distribution, in bits: uncertainty before any training."""

    name = "base-entropy"
    needs: tuple[Need, ...] = ("base",)

    def score(self, pool: Pool, rows: IntArray) -> FloatArray:
        """`- sum p0 log2 p0`."""
        return entropies(needed(pool.base, "a base model's probabilities", self.name)(rows))


class VoteEntropy:
    """Disagreement of a committee."""

    name = "vote-entropy"
    needs: tuple[Need, ...] = ("members",)

    def score(self, pool: Pool, rows: IntArray) -> FloatArray:
        """Entropy of the members' labels in bits; the members' mean probability breaks ties, below 1e-3."""
        if len(pool.members) < 2:
            raise ValueError(f"the score {self.name!r} needs at least two members, this pool has {len(pool.members)}")
        answers = [member(rows) for member in pool.members]
        votes = np.stack([answer.argmax(axis=1) for answer in answers])
        mean: FloatArray = np.stack(answers).mean(axis=0)
        found: FloatArray = vote_entropies(votes, answers[0].shape[1]) + np.float32(1e-3) * (1.0 - margins(mean))
        return found


class ConformalSetSize:
    """How many labels a conformal set would keep: those with probability >= `threshold`.

    The threshold is 1 minus the conformal quantile of `1 - p(true label)` on human labels. Equal sizes are ordered by
    the margin of the student.
    """

    name = "conformal-set-size"
    needs: tuple[Need, ...] = ("student",)

    def __init__(self, threshold: float) -> None:
        if not 0.0 <= threshold <= 1.0:
            raise ValueError(f"a conformal threshold is a probability, got {threshold}")
        self._threshold = threshold

    def score(self, pool: Pool, rows: IntArray) -> FloatArray:
        """Labels in the set, plus a fraction below 1 that is larger for smaller margins."""
        answers = needed(pool.student, "a student's probabilities", self.name)(rows)
        sizes = np.maximum((answers >= self._threshold).sum(axis=1), 1)
        found: FloatArray = sizes.astype(np.float32) + np.float32(0.999) * (1.0 - margins(answers))
        return found
