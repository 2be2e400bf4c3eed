"""Is a new student good enough to be served? Decided on human labels that no student ever learns from. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

HELD_OUT_SHARE = 0.15  # of the tasks with a final human label
ENOUGH = 20  # held-out human labels below which nothing is judged
CRITICAL = 1.64  # one-sided 5 % point of the normal distribution


@dataclass(frozen=True)
class Verdict:
    """Whether the new version may be served, and the reason in one sentence."""

    accepted: bool
    reason: str


def is_held_out(project: int, task: int, share: float = HELD_OUT_SHARE) -> bool:
    """Whether the human label of a task is kept for judging: by hash, so that it is the same for every version."""
    digest = hashlib.sha256(f"{project}:{task}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64


def judge(
    truth: Mapping[int, str], new: Mapping[int, str], served: Mapping[int, str] | None, served_name: str
) -> Verdict:
    """Compare the labels of the new version with those of what is served now, task by task.

    All mappings are task id -> label; `truth` holds the held-out human labels. The new version is rejected only if it
    is worse beyond chance: a one-sided sign test on the tasks that exactly one of the two gets right (McNemar, 1947,
    normal approximation, 5 %).
    """
    known = [task for task in truth if task in new]
    if len(known) < ENOUGH:
        return Verdict(
            True, f"accepted without judging: {len(known)} of {ENOUGH} human labels needed for that are set aside"
        )
    right = sum(new[task] == truth[task] for task in known)
    figure = f"{right} of {len(known)} set-aside human labels right"
    both = [task for task in known if served is not None and task in served]
    if served is None or len(both) < ENOUGH:
        return Verdict(True, f"accepted: {figure}; nothing served to compare with")
    wins, losses = _discordant(truth, new, served, both)
    comparison = f"{figure}, {served_name} has {sum(served[task] == truth[task] for task in both)} of {len(both)}"
    if losses - wins > CRITICAL * sqrt(wins + losses):
        return Verdict(False, f"rejected as worse than what is served: {comparison}")
    return Verdict(True, f"accepted: {comparison}")


def _discordant(
    truth: Mapping[int, str], new: Mapping[int, str], served: Mapping[int, str], tasks: Sequence[int]
) -> tuple[int, int]:
    wins = sum(new[task] == truth[task] != served[task] for task in tasks)
    losses = sum(served[task] == truth[task] != new[task] for task in tasks)
    return wins, losses
