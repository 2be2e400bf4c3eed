"""What the teacher's word is worth beside the members': by human labels, never by its own confidence.

A teacher that errs as often as the members must not overrule them, and where its answer would change next to nothing
no call is worth its price.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from model.arrays import FloatArray, IntArray
from model.committee.pooling import LEAST_LABELS, Confusion, Pooling, expected_gain
from model.errors import ArtifactError
from model.text_groups import folds

FOLDS = 3
PRICE = 0.1  # rise in the probability of being right from which a call is worth it


@dataclass(frozen=True)
class Reviewer:
    """`confusion`: how it errs. `pooling`: weights of the members where it has spoken, and, last, its own. `helps`:
    whether the committee with it is more accurate on people's labels than without it."""

    confusion: Confusion
    pooling: Pooling
    helps: bool

    @classmethod
    def fit(
        cls,
        evidence: Sequence[FloatArray],
        alone: Pooling,
        answers: IntArray,
        gold: IntArray,
        groups: IntArray | None = None,
    ) -> Reviewer | None:
        """From members' evidence `(n, C)` each, their pooling without it, its first labels `(n,)` and people's `(n,)`,
        and the `groups` `(n,)` of their texts.

        None with too few tasks. Each third's confusion matrix comes from the others, so that none is judged on itself.
        """
        if len(gold) < LEAST_LABELS:
            return None
        labels = evidence[0].shape[1]
        fold = folds(np.arange(len(gold)) if groups is None else groups, FOLDS, 0)
        said = np.zeros((len(gold), labels), np.float32)
        for number in range(FOLDS):
            mine = fold == number
            said[mine] = Confusion.fit(answers[~mine], gold[~mine], labels).evidence(answers[mine])
        pooling = Pooling.fit([*evidence, said], gold)
        after = (pooling.posterior([*evidence, said]).argmax(axis=1) == gold).mean()
        before = (alone.posterior(evidence).argmax(axis=1) == gold).mean()
        return cls(Confusion.fit(answers, gold, labels), pooling, bool(after > before))

    def posterior(self, evidence: Sequence[FloatArray], answers: IntArray) -> FloatArray:
        """Probabilities `(n, C)` once it has given its first labels `(n,)` (-1: none)."""
        return self.pooling.posterior([*evidence, self.confusion.evidence(answers)])

    def worth_asking(self, posterior: FloatArray) -> FloatArray:
        """How far a call would raise the probability of being right, for tasks with `posterior` `(n, C)`; 0 if it does
        not help at all."""
        if not self.helps:
            return np.zeros(len(posterior), np.float32)
        return expected_gain(posterior, self.confusion, float(self.pooling.weights[-1]))

    def to_json(self) -> dict[str, Any]:
        """A plain object."""
        weights, matrix = self.pooling.weights.tolist(), self.confusion.matrix.tolist()
        return {"confusion": matrix, "weights": weights, "helps": self.helps}

    @classmethod
    def from_json(cls, content: Any, labels: int, members: int) -> Reviewer:
        """The inverse of `to_json` for so many labels and members; ArtifactError if it is of another size."""
        try:
            matrix = np.array(content["confusion"], np.float32)
            weights = np.array(content["weights"], np.float32)
            helps = bool(content["helps"])
        except (KeyError, TypeError, ValueError) as error:
            raise ArtifactError(f"not a stored reviewer ({error!r})") from error
        if matrix.shape != (labels, labels + 1) or weights.shape != (members + 1,):
            raise ArtifactError(f"a stored reviewer of {matrix.shape} and {weights.shape} does not fit the committee")
        return cls(Confusion(matrix), Pooling(weights), helps)
