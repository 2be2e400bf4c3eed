"""Extra losses of noise-robust training: mixup and consistency (CanDist, equations 8 and 9; FreeAL, EMNLP 2023)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from model.training import refinery
from model.training.targets import BatchTargets

FILTERED_TEMPERATURE = 0.85


def mixup_loss(
    inputs: Tensor, found: BatchTargets, classify: Callable[[Tensor], Tensor], random: torch.Generator
) -> Tensor:
    """Equation 9 over the used rows of a batch: inputs `(b, d)` are mixed pairwise with w ~ Beta(4, 4), w >= 1/2.

    0 when fewer than two rows are used (an empty mean would be NaN).
    """
    kept = found.used.nonzero().squeeze(1)
    if len(kept) < 2:
        return torch.zeros((), device=inputs.device)
    draws = torch.rand(8, generator=random).log().neg()  # Beta(4, 4) as a ratio of sums of exponentials
    weight = float(draws[:4].sum() / draws.sum())
    weight = max(weight, 1.0 - weight)
    partner = kept[torch.randperm(len(kept), generator=random).to(kept.device)]
    mixed = refinery.mix(inputs[kept], inputs[partner], weight)
    targets = refinery.mix(found.targets[kept], found.targets[partner], weight)
    log_probs = torch.log_softmax(classify(mixed).float(), 1)
    return refinery.refinery_loss(log_probs, targets, torch.ones_like(kept, dtype=torch.bool))


def filtered_consistency(logits: Tensor, log_probs: Tensor, used: Tensor) -> Tensor:
    """FreeAL's loss for filtered rows: half of each KL direction between two views, at temperature 0.85.

    The view `log_probs` is detached. A mean over rows, where the published code sums: a sum makes the weight depend on
    how many rows of the batch are filtered.
    """
    other = torch.log_softmax(logits.float() / FILTERED_TEMPERATURE, 1)
    fixed = log_probs.detach()
    forward = (fixed.exp() * (fixed - other)).sum(1)
    backward = (other.exp() * (other - fixed)).sum(1)
    return torch.where(used, 0.0, 0.5 * (forward + backward)).sum() / (~used).sum().clamp(min=1)
