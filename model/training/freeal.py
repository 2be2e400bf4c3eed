"""A baseline after FreeAL (EMNLP 2023): robust distillation of single labels, from its published description.

A mixture of two Gaussians on the losses tells clean from noisy labels; clean rows keep their label, noisy ones only
have to be answered consistently.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from model.training.refinery import Snapshot
from model.training.targets import BatchTargets

KEEP = 0.7  # probability of being clean from which a row is kept
ROUNDS = 50


class FreealTargets:
    """Targets of the FreeAL baseline; see `Targets`."""

    needs_snapshot = True

    def __init__(self, labels: Tensor, human: Tensor, num_labels: int, warm_up: int) -> None:
        """`labels` int64 `(n,)`, -1 leaves a row out; `human` rows are always kept."""
        self._labels, self._human, self._num_labels, self._warm_up = labels, human, num_labels, warm_up
        self.sets = torch.nn.functional.one_hot(labels.clamp(min=0), num_labels).to(torch.bool)
        self._kept = labels >= 0

    def begin(self, epoch: int, found: Snapshot | None) -> None:
        """Choose the clean rows, once warm-up is over."""
        if found is None or epoch < self._warm_up:
            return
        self._kept = (self._labels >= 0) & (self._human | (clean_probability(found.loss) > KEEP))

    def batch(self, rows: Tensor, probs: Tensor, epoch: float) -> BatchTargets:
        """One-hot targets of clean rows."""
        return BatchTargets(self.sets[rows].to(probs.device, torch.float32), self._kept[rows].to(probs.device))


def clean_probability(losses: Tensor) -> Tensor:
    """Probability `(n,)` of the lower of two Gaussians, fitted to the losses by expectation maximisation."""
    scaled = losses.double()
    scaled = (scaled - scaled.min()) / (scaled.max() - scaled.min()).clamp(min=1e-12)
    centres = torch.tensor([float(scaled.quantile(0.1)), float(scaled.quantile(0.9))], dtype=torch.float64)
    spreads = torch.full((2,), max(float(scaled.var()), 1e-4), dtype=torch.float64)
    shares = torch.full((2,), 0.5, dtype=torch.float64)
    member = torch.full((len(scaled), 2), 0.5, dtype=torch.float64)
    for _ in range(ROUNDS):
        distance = (scaled.unsqueeze(1) - centres) ** 2
        density = shares.log() - 0.5 * (distance / spreads + spreads.log() + math.log(2 * math.pi))
        member = torch.softmax(density, 1)
        weight = member.sum(0).clamp(min=1e-9)
        centres = (member * scaled.unsqueeze(1)).sum(0) / weight
        spreads = ((member * (scaled.unsqueeze(1) - centres) ** 2).sum(0) / weight).clamp(min=1e-4)
        shares = (weight / weight.sum()).clamp(min=1e-9)
    return member[:, int(centres.argmin())]
