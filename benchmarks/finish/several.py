"""Several people who answer every task of a made-up pool: they err, and follow what they see ticked."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from model.weak.consensus import dawid_skene

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

RIGHT = (0.95, 0.85, 0.75)  # how often each of them is right
FOLLOWS = 0.6  # how often people leave ticked what a student says


def votes(draw: Any, truth: Ints, labels: int) -> Ints:
    """What each of them says about every task, shown nothing `(n, m)`."""
    other = (truth[:, None] + draw.integers(1, labels, (len(truth), len(RIGHT)))) % labels
    found: Ints = np.where(draw.random(other.shape) < np.array(RIGHT), truth[:, None], other)
    return found


def consensus(said: Ints, labels: int) -> Ints:
    """The label `(n,)` that they give together to the tasks that they have answered, as the product finds it."""
    found: Ints = dawid_skene(said, labels).argmax(axis=1).astype(np.int64)
    return found


def swayed(draw: Any, right: Ints, shown: Ints, follows: float = FOLLOWS) -> Ints:
    """What is decided `(n,)` where a student's answers are shown."""
    found: Ints = np.where(draw.random(len(right)) < follows, shown, right)
    return found
