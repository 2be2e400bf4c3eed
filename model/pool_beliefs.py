"""What a training believes of the very texts that it learned from: more than any student can tell from the text alone.

The teacher's own answer to a text is part of the belief, as is what similar texts and people say. Where several labels
may be right, a student that answers such a text from the text alone does worse than its own teacher: what it learned by
heart it ticks by thresholds that were chosen for texts it has never seen (docs/evidence/answers.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from model.arrays import BoolArray, FloatArray
from model.decoding import left_open, logit
from model.labels import LabelSpace


@dataclass(frozen=True)
class PoolBeliefs:
    """`shares` float16 `(n, C)`: the probability of each label; `known` bool `(n, G)`: of which questions anybody has
    said anything; `rows` are the places of the texts; `limits` `(C,)`: from which probability on a label is believed
    where several may be right."""

    space: LabelSpace
    rows: Mapping[str, int]
    shares: npt.NDArray[np.float16]
    known: BoolArray
    limits: FloatArray

    def over(self, texts: Sequence[str], probabilities: FloatArray, thresholds: FloatArray | None) -> FloatArray:
        """A student's probabilities `(k, C)` of texts, replaced by what is believed where anything is known.

        Where several labels may be right, log odds are moved so that a label reaches its threshold where it is
        believed. What the student leaves to the teacher stays as it is.
        """
        found = probabilities.copy()
        here = np.array([place for place, text in enumerate(texts) if text in self.rows], np.int64)
        rows = np.array([self.rows[texts[place]] for place in here], np.int64)
        for number, group in enumerate(self.space.groups):
            if left_open(group, thresholds):
                continue
            said = self.known[rows, number]
            believed = self.shares[rows[said], group.columns].astype(np.float64)
            if group.kind == "any" and thresholds is not None:
                limits = self.limits[group.columns].astype(np.float64)
                moved = logit(believed) - logit(limits) + logit(thresholds[group.columns].astype(np.float64))
                believed = 1.0 / (1.0 + np.exp(-moved))
            found[here[said], group.columns] = believed
        return found
