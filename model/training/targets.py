"""What each training method wants the student to answer: one class per method family, asked once per batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import structlog
import torch
from torch import Tensor

from model.training import refinery
from model.training.refinery import Gate, Selection, Snapshot

log = structlog.get_logger(__name__)

OUTSIDE = 0.02  # mass spread over all labels before likelihoods are taken
MOST_OUTSIDE = 0.6  # share of rows outside their set above which teacher and student contradict each other


@dataclass(frozen=True, slots=True)
class BatchTargets:
    """Targets `(b, C)`, the rows that have one, a weight per row, and the rows whose other wordings are drawn to their
    target (None: all that have one); those of the others are drawn to the student's own answer."""

    targets: Tensor
    used: Tensor
    weight: Tensor | None = None
    within: Tensor | None = None


class Targets(Protocol):
    """A training method: asked at the start of every epoch, and for every batch."""

    needs_snapshot: bool

    def begin(self, epoch: int, found: Snapshot | None) -> None:
        """An epoch begins; `found` is the snapshot of all rows if `needs_snapshot`."""

    def batch(self, rows: Tensor, probs: Tensor, epoch: float) -> BatchTargets:
        """Targets of some rows, given the student's present distribution (detached)."""


class FixedTargets:
    """One label per row, known beforehand: plain distillation, and training on gold labels."""

    needs_snapshot = False

    def __init__(self, labels: Tensor, num_labels: int) -> None:
        """`labels` int64 `(n,)`; -1 leaves the row out."""
        self._labels, self._num_labels = labels, num_labels

    def begin(self, epoch: int, found: Snapshot | None) -> None:
        """Nothing changes between epochs."""

    def batch(self, rows: Tensor, probs: Tensor, epoch: float) -> BatchTargets:
        """One-hot targets."""
        labels = self._labels[rows].to(probs.device)
        hot = torch.nn.functional.one_hot(labels.clamp(min=0), self._num_labels).to(torch.float32)
        return BatchTargets(hot, labels >= 0)


class SoftTargets:
    """A distribution and a weight per row, known beforehand."""

    needs_snapshot = False

    def __init__(self, targets: Tensor, weight: Tensor) -> None:
        """`targets` float `(n, C)` (any precision), `weight` float `(n,)`."""
        self.targets, self._weight = targets, weight

    def followed_by(self, targets: Tensor) -> SoftTargets:
        """The same rows and then others, float `(m, C)`, of full weight."""
        both = torch.cat([self.targets, targets.to(self.targets.dtype)])
        return SoftTargets(both, torch.cat([self._weight, torch.ones(len(targets))]))

    def part(self, rows: Tensor) -> SoftTargets:
        """Those of some rows."""
        return SoftTargets(self.targets[rows], self._weight[rows])

    def likelihoods(self, rows: Tensor, shares: Tensor) -> Tensor:
        """Of some rows the expected logarithm of what was answered, float `(b, C)`; nobody is quite sure."""
        sure = torch.log((1.0 - OUTSIDE) * shares + OUTSIDE / shares.shape[1])
        found: Tensor = self._weight[rows] * (self.targets[rows].float() * sure).sum(1)
        return found

    def begin(self, epoch: int, found: Snapshot | None) -> None:
        """Nothing changes between epochs."""

    def batch(self, rows: Tensor, probs: Tensor, epoch: float) -> BatchTargets:
        """The stored targets."""
        weight = self._weight[rows].to(probs.device)
        return BatchTargets(self.targets[rows].to(probs.device, torch.float32), weight > 0, weight)


class UniformTargets:
    """Equal shares inside the candidate set, always."""

    needs_snapshot = False

    def __init__(self, sets: Tensor) -> None:
        self._sets = sets

    def begin(self, epoch: int, found: Snapshot | None) -> None:
        """Nothing changes between epochs."""

    def batch(self, rows: Tensor, probs: Tensor, epoch: float) -> BatchTargets:
        """Equation 1 at t = 0."""
        sets = self._sets[rows].to(probs.device)
        return BatchTargets(refinery.uniform(sets), torch.ones(len(sets), dtype=torch.bool, device=sets.device))


class RefineryTargets:
    """The Distribution Refinery: equation 1, and equations 2 to 5 once the gate is open.

    With `select=False` it stays with equation 1 (re-normalisation only). `published` leaves out what we add: labels
    that are not learnt yet lose their rows, no share of contradicted rows switches the selection off, the loss is
    divided by all rows of a batch, and rows that the student overrules count as outside for the consistency loss.
    """

    def __init__(
        self,
        sets: Tensor,
        human: Tensor,
        gate: Gate,
        gamma: float,
        delta: float,
        tau: float,
        select: bool = True,
        published: bool = False,
    ) -> None:
        self.needs_snapshot, self._published = select, published
        self.sets, self._human, self._gate = sets, human, gate
        self._gamma, self._delta, self._tau = gamma, delta, tau
        self._expected = refinery.expected_counts(sets) if select else None
        self._chosen = refinery.everything(len(sets))
        self._predicted = torch.zeros(len(sets), dtype=torch.int64)
        self._epoch = 0
        self.warnings: list[str] = []

    def begin(self, epoch: int, found: Snapshot | None) -> None:
        """Equations 2 to 4 on the snapshot, if the gate is open."""
        self._epoch = epoch
        if found is None or self._expected is None:
            return
        self._predicted = found.predicted
        weak = refinery.weak_labels(found.predicted, self._expected)
        if not self._gate.step(epoch, found, weak):
            return
        protected = self._human if self._published else refinery.protected_rows(self.sets, self._human, weak)
        self._chosen = self._judged(refinery.select(found, protected, self.sets.shape[1], self._delta, self._tau))

    def _judged(self, chosen: Selection) -> Selection:
        outside = 1.0 - float(chosen.within.float().mean())
        if outside <= MOST_OUTSIDE or self._published:
            return chosen
        warning = f"{outside:.0%} of the rows contradict the student; selection is switched off, look at the teacher"
        if not self.warnings:
            log.warning("refinery_contradiction", outside=round(outside, 3))
            self.warnings.append(warning)
        return refinery.everything(len(chosen.within))

    def batch(self, rows: Tensor, probs: Tensor, epoch: float) -> BatchTargets:
        """Equations 1 and 5 for some rows."""
        sets = self.sets[rows].to(probs.device)
        first = refinery.uniform(sets) if self._epoch == 0 else refinery.renormalise(probs, sets)
        chosen = self._chosen.rows(rows).to(probs.device)
        predicted = self._predicted[rows].to(probs.device)
        final = refinery.final_targets(first, chosen.small, chosen.overruled, predicted, self._gamma)
        if not self._published:
            return BatchTargets(final, chosen.used)
        share = (
            chosen.used.float().mean().expand(len(rows))
        )  # with it the loss is divided by all rows, not by used ones
        return BatchTargets(final, chosen.used, share, chosen.within)
