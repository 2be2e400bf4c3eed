"""What every score has in common, and how a whole pool is scored."""

from __future__ import annotations

from typing import Literal, Protocol, TypeAlias

import numpy as np

from model.acquisition.pool import Pool, Probabilities, blocks
from model.arrays import FloatArray, IntArray

Need: TypeAlias = Literal["student", "base", "members"]


class Score(Protocol):
    """Ranks tasks: the higher, the more a label for this task is worth. `needs` names what the pool must have."""

    name: str
    needs: tuple[Need, ...]

    def score(self, pool: Pool, rows: IntArray) -> FloatArray:
        """Float32 `(b,)` for row numbers `(b,)`. ValueError if the pool lacks what the score looks at."""


def score_rows(pool: Pool, score: Score, rows: IntArray) -> FloatArray:
    """Scores of any number of rows, block by block: linear in their number, memory of one block plus the result."""
    parts = [score.score(pool, part) for part in blocks(rows)]
    return np.concatenate(parts).astype(np.float32) if parts else np.zeros(0, np.float32)


def needed(source: Probabilities | None, what: str, name: str) -> Probabilities:
    """`source`, or a ValueError that says what the pool lacks for the score `name`."""
    if source is None:
        raise ValueError(f"the score {name!r} needs {what}, which this pool does not have")
    return source
