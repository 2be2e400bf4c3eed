"""Distribution Refinery: how a student's target moves inside the candidate set while it trains.

Pure functions on tensors, after CanDist (arXiv 2506.03857), equations 1 to 5 and 8 to 10. Shapes: n rows, C labels;
`probs` float `(n, C)` with rows that sum to 1, `sets` bool `(n, C)` with at least one True per row.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

TINY = 1e-12
LEAST_EXPECTED = 5.0  # rows that a label should have before its absence from the predictions counts as a weakness


def uniform(sets: Tensor) -> Tensor:
    """Equation 1 at t = 0: equal shares inside the set, `(n, C)` float32."""
    shares = sets.to(torch.float32)
    return shares / shares.sum(1, keepdim=True)


def renormalise(probs: Tensor, sets: Tensor) -> Tensor:
    """Equation 1 at t > 0: the student's own distribution restricted to the set, `(n, C)`, without gradient.

    Rows whose mass inside the set underflows get the uniform target.
    """
    inside = torch.where(sets, probs.detach().to(torch.promote_types(probs.dtype, torch.float32)), 0.0)
    mass = inside.sum(1, keepdim=True)
    found = inside / mass.clamp(min=TINY)
    lost = mass < TINY
    return torch.where(lost, uniform(sets).to(found.dtype), found) if bool(lost.any()) else found


def sharpen(targets: Tensor, gamma: float) -> Tensor:
    """Equation 5, first case: targets to the power 1/gamma, re-normalised. gamma in (0, 1]; 1 changes nothing."""
    if not 0.0 < gamma <= 1.0:
        raise ValueError(f"gamma must lie in (0, 1], got {gamma}")
    scaled = targets / targets.max(1, keepdim=True).values.clamp(min=TINY)
    powered: Tensor = scaled ** (1.0 / gamma)
    return powered / powered.sum(1, keepdim=True)


def target_loss(probs: Tensor, targets: Tensor) -> Tensor:
    """Equation 3: cross-entropy of each row with its target, `(n,)`, natural logarithm."""
    return -(targets * probs.clamp(min=TINY).log()).sum(1)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one pass in eval mode says about every row. Only vectors of length n: no `(n, C)` matrix is kept."""

    predicted: Tensor  # int64 (n,): argmax of the student
    confidence: Tensor  # float (n,): its probability
    loss: Tensor  # float (n,): equation 3 with the target of equation 1
    inside: Tensor  # bool (n,): the prediction is in the candidate set


def snapshot(probs: Tensor, sets: Tensor) -> Snapshot:
    """The snapshot of some rows; `join` puts those of several chunks together."""
    confidence, predicted = probs.max(1)
    inside = sets.gather(1, predicted.unsqueeze(1)).squeeze(1)
    return Snapshot(predicted, confidence, target_loss(probs, renormalise(probs, sets)), inside)


def join(parts: list[Snapshot]) -> Snapshot:
    """One snapshot from those of consecutive chunks of rows."""
    return Snapshot(
        torch.cat([part.predicted for part in parts]),
        torch.cat([part.confidence for part in parts]),
        torch.cat([part.loss for part in parts]),
        torch.cat([part.inside for part in parts]),
    )


def expected_counts(sets: Tensor, chunk: int = 65536) -> Tensor:
    """Expected number of rows per label under uniform targets, `(C,)`."""
    total = torch.zeros(sets.shape[1])
    for start in range(0, len(sets), chunk):
        total += uniform(sets[start : start + chunk]).sum(0)
    return total


def weak_labels(predicted: Tensor, expected: Tensor) -> Tensor:
    """Labels that should have rows (expected count >= 5) but are the prediction of none, bool `(C,)`."""
    seen = torch.bincount(predicted, minlength=len(expected)) > 0
    return (expected >= LEAST_EXPECTED) & ~seen


def in_candidates(inside: Tensor, protected: Tensor) -> Tensor:
    """Equation 2: D_in as bool `(n,)`; its complement is D_out. Protected rows (people's, unlearnt labels) stay in."""
    return inside | protected


def small_loss(found: Snapshot, within: Tensor, num_labels: int, delta: float) -> Tensor:
    """Equation 3: D_sl as bool `(n,)`. Per predicted class the share `delta` of smallest losses, at least one row.

    `within` is D_in; only rows whose prediction lies in their set take part. Ties go to the smaller row number.
    """
    rows = torch.nonzero(within & found.inside).squeeze(1)
    selected = torch.zeros(len(within), dtype=torch.bool, device=within.device)
    if len(rows) == 0:
        return selected
    rows = rows[torch.argsort(found.loss[rows], stable=True)]
    rows = rows[torch.argsort(found.predicted[rows], stable=True)]
    counts = torch.bincount(found.predicted[rows], minlength=num_labels)
    rank = torch.arange(len(rows), device=rows.device) - (counts.cumsum(0) - counts)[found.predicted[rows]]
    kept = (counts * delta + 1e-9).floor().clamp(min=1)[found.predicted[rows]]
    selected[rows[rank < kept]] = True
    return selected


def high_confidence(confidence: Tensor, within: Tensor, tau: float) -> Tensor:
    """Equation 4: D_hc as bool `(n,)`, the rows outside D_in whose prediction is surer than tau."""
    return ~within & (confidence > tau)


@dataclass(frozen=True, slots=True)
class Selection:
    """The masks of one epoch, bool `(n,)` each."""

    within: Tensor  # D_in
    small: Tensor  # D_sl
    overruled: Tensor  # D_hc

    @property
    def used(self) -> Tensor:
        """Rows that have a target."""
        return self.within | self.overruled

    def rows(self, chosen: Tensor) -> Selection:
        """The masks of some rows only."""
        return Selection(self.within[chosen], self.small[chosen], self.overruled[chosen])

    def to(self, device: torch.device) -> Selection:
        """The same on another device."""
        return Selection(self.within.to(device), self.small.to(device), self.overruled.to(device))


def everything(rows: int) -> Selection:
    """The selection of warm-up: every row is in, none is sharpened or overruled."""
    none = torch.zeros(rows, dtype=torch.bool)
    return Selection(~none, none, none.clone())


def select(found: Snapshot, protected: Tensor, num_labels: int, delta: float, tau: float) -> Selection:
    """Equations 2 to 4 for one snapshot."""
    within = in_candidates(found.inside, protected)
    small = small_loss(found, within, num_labels, delta)
    return Selection(within, small, high_confidence(found.confidence, within, tau))


def final_targets(targets: Tensor, small: Tensor, overruled: Tensor, predicted: Tensor, gamma: float) -> Tensor:
    """Equation 5: sharpened where `small`, one-hot of `predicted` where `overruled`, unchanged elsewhere."""
    result = torch.where(small.unsqueeze(1), sharpen(targets, gamma), targets)
    if not bool(overruled.any()):
        return result
    chosen = torch.nn.functional.one_hot(predicted, targets.shape[1]).to(result.dtype)
    return torch.where(overruled.unsqueeze(1), chosen, result)


def refinery_loss(log_probs: Tensor, targets: Tensor, used: Tensor) -> Tensor:
    """L_dr as the mean over used rows (our choice instead of 1/n); 0 without gradient trouble if none is used."""
    losses = -(targets.detach() * log_probs).sum(1)
    return torch.where(used, losses, 0.0).sum() / used.sum().clamp(min=1)


def consistency_loss(log_probs_augmented: Tensor, targets: Tensor, probs: Tensor, within: Tensor) -> Tensor:
    """Equation 8: CE to the target for D_in plus KL(p detached || p_augmented) for the rest, a mean over each."""
    known = refinery_loss(log_probs_augmented, targets, within)
    clean = probs.detach().clamp(min=TINY)
    divergence = (clean * (clean.log() - log_probs_augmented)).sum(1)
    return known + torch.where(within, 0.0, divergence).sum() / (~within).sum().clamp(min=1)


def mix(first: Tensor, second: Tensor, weight: float | Tensor) -> Tensor:
    """Equation 9: weight * first + (1 - weight) * second, for embeddings and for targets."""
    return weight * first + (1.0 - weight) * second


def ramp(epoch: float, length: float) -> float:
    """Equation 10: eta, linear from 0 to 1 over `length` epochs (fractional epochs count)."""
    return min(1.0, max(0.0, epoch / length)) if length > 0 else 1.0


@dataclass
class Gate:
    """Decides when equations 2 to 4 may begin: after warm-up, once no label is unlearnt and agreement has settled.

    Settled: the share of rows whose prediction lies in their set rose by less than 0.005 over the last two epochs.
    At the latest the gate opens at half time, and stays open. `waits=False` opens it right after warm-up, as published.
    """

    epochs: int
    warm_up: int
    open: bool = False
    waits: bool = True

    def __post_init__(self) -> None:
        self._shares: list[float] = []

    def step(self, epoch: int, found: Snapshot, weak: Tensor) -> bool:
        """Whether filtering is on in this epoch (counted from 0)."""
        self._shares.append(float(found.inside.float().mean()))
        settled = len(self._shares) > 2 and self._shares[-1] - self._shares[-3] < 0.005
        ready = not self.waits or (settled and not bool(weak.any()))
        self.open = (
            self.open or (epoch >= self.warm_up and ready) or (epoch >= self.warm_up and epoch >= self.epochs // 2)
        )
        return self.open


def protected_rows(sets: Tensor, human: Tensor, weak: Tensor) -> Tensor:
    """Rows that are never filtered or overruled: people's, and those whose set has an unlearnt label; bool `(n,)`."""
    if not bool(weak.any()):
        return human
    return human | sets[:, weak].any(1)
