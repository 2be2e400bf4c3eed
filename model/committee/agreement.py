"""How often members are right, and how often two of them say the same, on people's labels that none had learned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from model.arrays import FloatArray, IntArray


def agreement(evidence: Sequence[FloatArray], gold: IntArray) -> dict[str, Any]:
    """From each member's evidence `(n, C)` on n labels of people `(n,)`: `rows`; by member `voted` and `right` (numbers
    of rows); and `same` `(k, k)`, the share of rows on which two members voted alike, None where they never both voted.

    A member abstains where all its evidence is the same.
    """
    votes = [np.where(np.ptp(part, axis=1) > 0, part.argmax(axis=1), -1) for part in evidence]
    return {
        "rows": len(gold),
        "voted": [int((vote >= 0).sum()) for vote in votes],
        "right": [int((vote == gold).sum()) for vote in votes],
        "same": [[_same(one, other) for other in votes] for one in votes],
    }


def _same(one: IntArray, other: IntArray) -> float | None:
    both = (one >= 0) & (other >= 0)
    return round(float((one == other)[both].mean()), 4) if both.any() else None
