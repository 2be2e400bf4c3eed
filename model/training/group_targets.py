"""Targets of sets of labels: each question has its own loss, a softmax where one label is right, else sigmoids."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from model.groups import Group


class GroupTargets:
    """What is believed of each label of each row, known beforehand; what is exactly 0 or 1 was said by people.

    The loss is the cross-entropy of labels with their targets, whose gradient is p - q for both kinds of question; no
    label weighs more than another one. `known` `(n, G)` bool: rows of which nothing is known about a question teach it
    nothing; None: all are known.
    """

    def __init__(self, targets: Tensor, groups: Sequence[Group], known: Tensor | None = None) -> None:
        """`targets` float `(n, C)`, any precision; the targets of a question of one label sum to 1 in known rows."""
        self.targets, self.groups, self.known = targets, tuple(groups), known

    def loss(self, logits: Tensor, rows: Tensor) -> Tensor:
        """Mean over rows `(b,)` of the sum over labels."""
        wanted = self.targets[rows].to(logits.device, torch.float32)
        parts = []
        for place, group in enumerate(self.groups):
            said, true = logits[:, group.columns], wanted[:, group.columns]
            if self.known is not None:
                here = self.known[rows, place].to(logits.device)
                said, true = said[here], true[here]
            parts.append(_loss(said, true, group))
        total = parts[0] if len(parts) == 1 else torch.stack(parts).sum()
        return total / len(rows)


def _loss(said: Tensor, true: Tensor, group: Group) -> Tensor:
    if group.kind == "any":
        return torch.nn.functional.binary_cross_entropy_with_logits(said, true, reduction="sum")
    return -(true * torch.log_softmax(said, dim=1)).sum()
