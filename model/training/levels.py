"""Levels in order: heads whose logits change evenly from one level to the next, where that answers new texts better.

Of levels on one line log p(k + 1) / p(k) = f(x) + b_k: one direction for all borders instead of one for each level
(adjacent-category logits; Agresti, Analysis of Ordinal Categorical Data, 2010, section 4.1). Here other directions are
held back, not forbidden: what a head learns for K levels is Z M, where M shrinks all but the even change. So it is a
softmax like any other, and is stored, exported and served as one. Some levels lie on no line (neither good nor bad may
be a matter of its own); each question's own texts tell, by answers of heads that have not seen them.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import torch
from torch import Tensor

from model.arrays import BoolArray, FloatArray, IntArray, Stop
from model.groups import Group
from model.training.linear_head import Unseen
from model.training.targets import SoftTargets

UNEVEN = 0.3  # by which other directions than the even change are shrunk
MOST = 1_000  # texts that tell whether levels lie on a line


def level_map(
    groups: Collection[Group],
    vectors: FloatArray,
    targets: Tensor,
    fold_of: IntArray,
    known: BoolArray | None = None,
    stop: Stop | None = None,
) -> FloatArray | None:
    """M `(C, C)` of a head's logits, None where no question has levels on a line.

    `targets` `(n, C)` is what is believed of the rows of `vectors` `(n, d)`, `known` `(n, G)` of which questions (None:
    of all). A head of other folds `(n,)` answers each row; rows of fold -1 are always learned and never judge.
    """
    even = []
    for place, group in enumerate(groups):
        rows = np.arange(len(vectors)) if known is None else np.flatnonzero(known[:, place])
        if group.kind == "ordered" and len(rows):
            rows = rows[:: -(-len(rows) // MOST)]
            told = targets[torch.from_numpy(rows)][:, group.columns]
            even += [group] if _on_a_line(vectors[rows], told, fold_of[rows], stop) else []
    return mapped(groups, even) if even else None


def mapped(groups: Collection[Group], even: Collection[Group]) -> FloatArray:
    """M with a block for each question: of those in `even` the one that shrinks, of the others the identity."""
    found = np.eye(max(group.stop for group in groups), dtype=np.float32)
    for group in even:
        found[group.columns, group.columns] = shrinking(len(group))
    return found


def shrinking(levels: int) -> FloatArray:
    """The block `(K, K)`: symmetric; it keeps an even change over K levels and shrinks what is at right angles to it.

    >>> (shrinking(3) @ np.array([-1, 0, 1])).tolist()
    [-1.0, 0.0, 1.0]
    """
    steps = np.arange(levels) - (levels - 1) / 2
    line = np.outer(steps, steps) / (steps @ steps)
    return np.asarray(line + UNEVEN * (np.eye(levels) - line), np.float32)


def _on_a_line(vectors: FloatArray, told: Tensor, fold_of: IntArray, stop: Stop | None) -> bool:
    """Whether texts that a head has not seen are likelier with its directions held back."""
    targets = SoftTargets(told, torch.ones(len(told)))
    free, held = (Unseen(vectors, targets, fold_of, stop, levels) for levels in (None, shrinking(told.shape[1])))
    return free.several and held.likelihood() > free.likelihood()
