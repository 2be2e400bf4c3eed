"""Tasks that are set aside by a draw of their number: shown blind, or held out for judging."""

from __future__ import annotations

import hashlib

HELD_OUT_SHARE = 0.15  # of the tasks with a final human label


def is_blind(project: int, task: int, share: float) -> bool:
    """Whether a task is shown without an answer; `share` in [0, 1]."""
    digest = hashlib.sha256(f"blind:{project}:{task}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64


def is_held_out(project: int, task: int, share: float = HELD_OUT_SHARE) -> bool:
    """Whether the human label of a task is kept for judging: by hash, so that it is the same for every version."""
    digest = hashlib.sha256(f"{project}:{task}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64
