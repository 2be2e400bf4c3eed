"""The student that the product trains, on a pool whose tasks people decide one after the other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.finish.pools import Pool, first_labels
from model.arrays import BoolArray, FloatArray
from model.labels import LabelSpace
from model.student.head import HeadStudent
from model.train import train_student
from model.training.data import TrainingData
from model.training.options import TrainingOptions


def product_student(pool: Pool, known: BoolArray) -> FloatArray:
    """Probabilities `(n, C)` of a head with the product's defaults, trained anew on the teacher's answers and on what
    people decided where `known`. Their labels in an audit are not known here."""
    rows, labels = pool.said.shape
    place = {str(row): row for row in range(rows)}

    def embed(texts: Sequence[str]) -> FloatArray:
        found: FloatArray = pool.vectors[[place[text] for text in texts]]
        return found

    answered = pool.answered | known
    here, said = np.flatnonzero(answered), pool.said * pool.answered[:, None]
    proposed = said > 0
    candidates = np.where(known[:, None], np.eye(labels, dtype=np.bool_)[pool.gold], proposed)
    drawn = first_labels(pool) if known[first_labels(pool)].all() else known  # the others scores have chosen
    chosen = np.where(known & ~drawn, 0.0, np.nan).astype(np.float32)
    top = np.where(pool.answered, said.argmax(axis=1), -1).astype(np.int64)
    data = TrainingData(
        [str(row) for row in here], candidates[here], known[here], said[here], proposed[here], top[here],
        [str(row) for row in np.flatnonzero(~answered)], chosen[here],
    )  # fmt: skip
    space = LabelSpace.of([f"label {number}" for number in range(labels)])
    student, _ = train_student(space, data, TrainingOptions(way="head", seed=pool.seed), embed)
    assert isinstance(student, HeadStudent)
    shares: FloatArray = student.of_vectors(pool.vectors)
    return shares
