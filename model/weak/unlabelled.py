"""Texts about which nobody has said anything: the student is trained once more, with answers of its own for them.

Where a teacher's budget reaches for a part of the tasks, the others still show what texts there are. The answers for
them are pooled with the opinion of similar texts, as the teacher's are, and sharpened: self-training with soft targets
(after Lee, 2013, "Pseudo-Label") that are not the student's alone. Only the method `shortlist` does so, only with heads
and where the texts without an answer are more than a few.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import torch

from model.arrays import FloatArray, Stop
from model.pairs import Pair
from model.student.head import HeadStudent
from model.text_groups import text_groups
from model.training.data import TrainingData
from model.training.options import TrainingOptions
from model.training.targets import SoftTargets
from model.weak.beliefs import sharpened
from model.weak.chunks import Shares, pieces
from model.weak.neighbours import pooled
from model.weak.space import Space

LEAST_SHARE = 0.05  # of the rows with an answer; fewer texts are not worth a further training
MOST_TIMES = 6  # as many as the rows with an answer: what was measured


def with_part(data: TrainingData, options: TrainingOptions) -> TrainingData:
    """The data with a random part of its unlabelled texts, at most `options.unlabelled`; none where they are few."""
    texts, rows = data.unlabelled, len(data)
    most = min(len(texts), options.unlabelled, MOST_TIMES * rows)
    if options.method != "shortlist" or options.way != "head" or most < LEAST_SHARE * rows:
        most = 0
    if most < len(texts):
        chosen = np.random.default_rng(options.seed).choice(len(texts), most, replace=False)
        texts = [texts[place] for place in np.sort(chosen)]
    return dataclasses.replace(data, unlabelled=texts)


def with_own_answers(
    targets: SoftTargets,
    student: HeadStudent,
    inputs: FloatArray,
    vectors: FloatArray,
    stop: Stop | None = None,
    texts: Sequence[str] | None = None,
    pair: Pair | None = None,
) -> SoftTargets:
    """The targets of the n labelled rows, and after them those of m unlabelled texts.

    `inputs` `(m, d)` are their vectors as the student reads texts, `vectors` `(n + m, d)` those of all rows as the
    encoder gives them that knows no label; rows of one of the `texts` (or of one query of a `pair`) leave the opinion
    about it together.
    """
    own: Shares = np.empty((len(inputs), len(student.space)), np.float16)
    for piece in pieces(len(inputs), stop):
        own[piece] = student.of_vectors(np.asarray(inputs[piece], np.float32))
    rows = len(vectors)
    groups = np.arange(rows) if texts is None else text_groups(texts, None, pair)
    both = np.concatenate([targets.targets.numpy().astype(np.float16), own])
    found, _ = pooled(both, Space(vectors, stop), groups, rounds=1)
    return targets.followed_by(torch.from_numpy(sharpened(found[rows - len(inputs) :])))
