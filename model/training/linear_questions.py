"""A linear head for several questions of one right label, which answers beside networks on small pools.

Alone such heads answer more texts rightly, but may give all of them the commonest answer, where little is known of a
question; networks do not, and their mean has most of the gain (docs/evidence/answers.md).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from model.arrays import FloatArray, IntArray, Stop
from model.groups import Group
from model.training.head_training import standard
from model.training.linear_head import Head, Unseen, linear_head
from model.training.targets import SoftTargets

Known = tuple[Group, IntArray]  # a question, and the rows in which something is known of it


def linear_questions(
    vectors: FloatArray,
    shares: npt.NDArray[np.float16],
    known: Sequence[Known],
    fold_of: IntArray,
    stop: Stop | None = None,
) -> tuple[Head, dict[str, float]]:
    """A head for all labels of what is believed, `shares` `(n, C)`, and each question's strength: the likeliest for
    texts of other folds `(n,)`. Labels of questions of which nothing is known have logits of 0."""
    mean, scale = standard(vectors)
    out = np.zeros((vectors.shape[1], shares.shape[1]), np.float32)
    bias, strengths = np.zeros(shares.shape[1], np.float32), dict[str, float]()
    for group, rows in known:
        own, wanted = vectors[rows], torch.from_numpy(shares[rows, group.columns].astype(np.float32))
        targets = SoftTargets(wanted, torch.ones(len(rows)))
        strengths[group.name] = Unseen(own, targets, fold_of[rows], stop).strength()
        head = linear_head(own, targets, strengths[group.name], stop)
        weights = head["out"] * head["scale"]
        out[:, group.columns] = weights / scale
        bias[group.columns] = head["out_bias"] + (mean - head["mean"]) @ weights
    return {"mean": mean, "scale": scale, "out": out, "out_bias": bias}, strengths
