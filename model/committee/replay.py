"""Tasks that the committee decided by itself, learned again beside the reviewed ones: what is easy stays known.

A training learns from all reviewed tasks and human labels. These are the hard ones; so that members do not take their
mix of labels for that of the pool, some of the tasks on which the votes agreed are dealt in, balanced over labels.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from model.labels import CandidateSet, LabelSpace
from model.training.data import TrainingData, training_data

HELD_SHARE = 0.2


def held_out(task: int, share: float = HELD_SHARE) -> bool:
    """Whether a task is never replayed, but shows how much a new member changed: decided by its id alone, so that it
    is the same in every stage and on every host."""
    digest = hashlib.sha256(f"hold-out {task}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64


def balanced_draw(tasks: Sequence[int], labels: Sequence[str], count: int, generator: np.random.Generator) -> list[int]:
    """Up to `count` tasks, dealt out over labels in a random order."""
    by_label: dict[str, list[int]] = {}
    for place in generator.permutation(len(tasks)):
        by_label.setdefault(labels[place], []).append(tasks[place])
    drawn: list[int] = []
    for place in range(max(map(len, by_label.values()), default=0)):
        drawn += [rows[place] for _, rows in sorted(by_label.items()) if place < len(rows)]
    return drawn[:count]


def joined(
    data: TrainingData, space: LabelSpace, texts: Sequence[str], votes: Sequence[CandidateSet | None]
) -> TrainingData:
    """The data and some more rows, whose candidate sets are what the members voted for."""
    if not texts:
        return data
    more = training_data(space, texts, votes, [None] * len(texts))
    given = data.confidences if data.confidences is not None else np.zeros(data.candidates.shape, np.float32)
    added = more.confidences if more.confidences is not None else np.zeros(more.candidates.shape, np.float32)
    return TrainingData(
        [*data.texts, *more.texts],
        np.concatenate([data.candidates, more.candidates]),
        np.concatenate([data.human, more.human]),
        np.concatenate([given, added]) if data.confidences is not None else None,
        np.concatenate([data.teacher_sets, more.teacher_sets]),
        np.concatenate([data.first, more.first]),
        propensity=None if data.propensity is None else np.append(data.propensity, [np.float32(np.nan)] * len(more)),
    )
