"""A classifier on trial: how often its votes are what people decided, before it gets a seat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from model.arrays import IntArray
from model.committee.members.member import Member
from model.evaluation import Rate, rate

LEAST_ROWS = 20  # decided tasks below which a share says next to nothing
MOST_ROWS = 400  # decided tasks that are tried: enough for an interval of five points


@dataclass(frozen=True, slots=True)
class Trial:
    """Shares of `rows` decided tasks: on how many it voted, how many of its votes were right (with a 95 % interval),
    and how many are right by always saying the most frequent label."""

    rows: int
    voted: float
    right: float
    low: float
    high: float
    usual: float

    @property
    def worth_a_seat(self) -> bool | None:
        """Whether its votes are surely better than the most frequent label; None where that cannot be told."""
        if self.rows < LEAST_ROWS:
            return None
        return True if self.low > self.usual else False if self.high < self.usual else None

    def to_json(self) -> dict[str, Any]:
        """A plain object."""
        return asdict(self)


def trial(member: Member, texts: Sequence[str], gold: IntArray) -> Trial:
    """Let a member vote on texts that people gave the labels `gold` `(n,)`; ValueError without any."""
    if not len(gold):
        raise ValueError("a trial needs tasks that people decided")
    found = member.probabilities(texts)
    spoke = found.sum(axis=1) > 0
    right = int((found.argmax(axis=1) == gold)[spoke].sum())
    usual = float(np.bincount(gold).max() / len(gold))
    share = rate(right, int(spoke.sum())) or Rate(0.0, 0.0, 1.0, 0)
    return Trial(len(gold), float(spoke.mean()), share.value, share.low, share.high, usual)
