"""A made-up teacher, where no LLM's answers are stored: gold that is wrong at times, at random."""

from __future__ import annotations

import numpy as np

from model.arrays import IntArray

RIGHT = 0.75  # how often its single answer is right


def wrong_at_times(gold: IntArray, labels: int, random: np.random.Generator) -> IntArray:
    """Its single answers `(n,)`: right in RIGHT of all, else any other of so many labels."""
    others = (gold + random.integers(1, labels, size=len(gold))) % labels
    found: IntArray = np.where(random.random(len(gold)) < RIGHT, gold, others).astype(np.int64)
    return found
