"""Blind tasks: a small share is shown without an answer, because a ticked one sways the person who then confirms it.

Accuracy on them is free of that bias. Which tasks are blind is decided by hash, so it is the same for every version and
every process. The prediction itself is kept in the pool as for all other tasks, and the entry keeps its score, so that
the task's place in Label Studio's queue does not depend on being blind.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any


def is_blind(project: int, task: int, share: float) -> bool:
    """Whether a task is shown without an answer; `share` in [0, 1]."""
    digest = hashlib.sha256(f"blind:{project}:{task}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64


def hide(entries: Mapping[int, dict[str, Any]], project: int, share: float) -> dict[int, dict[str, Any]]:
    """Entries by task as they are shown: those of blind tasks lose their result and keep version and score."""
    if share <= 0:
        return dict(entries)
    return {
        task: {**entry, "result": []} if is_blind(project, task, share) else entry for task, entry in entries.items()
    }
