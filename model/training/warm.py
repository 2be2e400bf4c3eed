"""Training that goes on from the head of an earlier one, where little has changed since: a fifth of the epochs.

Large pools only: on small ones several heads answer together and are trained within seconds.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeAlias

from model.arrays import FloatArray
from model.labels import LabelSpace
from model.pair_views import PairView
from model.student.head import HeadStudent
from model.training.loop import Plan
from model.training.options import TrainingOptions

SHARE = 0.2  # of the epochs from scratch
RATE = 1e-3  # half the learning rate from scratch
LEAST_ROWS = 4_000  # from which one head answers alone
Head: TypeAlias = dict[str, FloatArray]


def fitting(
    start: HeadStudent | None, space: LabelSpace, options: TrainingOptions, vectors: FloatArray, view: PairView | None
) -> Head | None:
    """The head of `start`, if a training on these vectors `(n, d)` may go on from it."""
    if start is None or len(vectors) < LEAST_ROWS or len(start.heads) != 1 or not _plain(options):
        return None
    head, width = start.heads[0], vectors.shape[1]
    shapes = (head["mean"].shape, head["hidden"].shape if "hidden" in head else None, head["out"].shape[1])
    same = (start.space.hash, start.encoder, start.runtime) == (space.hash, options.encoder, options.runtime)
    alike = shapes == ((width,), (width, options.hidden) if options.hidden else None, len(space))
    return head if same and alike and start.view == view else None


def _plain(options: TrainingOptions) -> bool:
    """Whether nobody chose how long and how fast: only then it is known what is worth as much."""
    return options.method == "shortlist" and options.epochs is None and options.learning_rate is None


def shortened(plan: Plan, options: TrainingOptions) -> tuple[Plan, TrainingOptions]:
    """How long and how fast a training goes on."""
    return replace(plan, epochs=max(1, round(SHARE * plan.epochs))), replace(options, learning_rate=RATE)
