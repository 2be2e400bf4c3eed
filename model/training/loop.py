"""The training loop that every method and both ways (head, fine-tuning) share."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from model.arrays import Progress, Stop
from model.errors import TrainingError, TrainingStopped
from model.training import refinery
from model.training.group_targets import GroupTargets
from model.training.refinery import Snapshot
from model.training.targets import BatchTargets, Targets


class Learner(Protocol):
    """A network that is being trained on n rows. Rows are named by their numbers; texts or vectors stay inside."""

    rows: int
    num_labels: int
    snapshot_rows: int  # rows per chunk when all rows are scored

    def parameters(self) -> list[Tensor]:
        """What the optimiser moves."""

    def logits(self, rows: Tensor) -> Tensor:
        """`(b, C)` with dropout, for a training step."""

    def score(self, rows: Tensor) -> Tensor:
        """Log-probabilities `(b, C)` in eval mode, without gradient."""

    def extra_loss(self, rows: Tensor, found: BatchTargets, log_probs: Tensor) -> Tensor | None:
        """Consistency and mixup losses of the batch, before their ramp; None if there are none."""

    def step(self, loss: Tensor) -> None:
        """Gradient, clipping, optimiser and learning-rate schedule."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and in which portions to train."""

    epochs: int
    batch: int  # rows of each network
    seeds: tuple[int, ...]  # of row orders: one for each network that the learner trains at once
    parts: tuple[Tensor, ...] | None = None  # the rows that each network sees; None: all of them
    extra_ramp: float = 0.2  # share of epochs over which the extra losses grow to full weight


def train(
    learner: Learner,
    targets: Targets | GroupTargets,
    plan: Plan,
    progress: Progress | None,
    stop: Stop | None,
) -> float:
    """Train; returns the mean loss of the last epoch.

    TrainingError names the rows of a batch whose loss is not finite; TrainingStopped is raised within a batch after
    `stop()` says so. Row order depends on the seeds alone.
    """
    generators = [torch.Generator().manual_seed(seed) for seed in plan.seeds]
    parts = plan.parts or [torch.arange(learner.rows)] * len(generators)
    mean = 0.0
    for epoch in range(plan.epochs):
        if not isinstance(targets, GroupTargets):
            found = take_snapshot(learner, targets, stop) if targets.needs_snapshot else None
            targets.begin(epoch, found)
        losses: list[float] = []
        batches = list(_batches(parts, plan.batch, generators))
        for number, rows in enumerate(batches):
            if stop is not None and stop():
                raise TrainingStopped(f"stopped in epoch {epoch + 1} of {plan.epochs}")
            moment = epoch + number / len(batches)
            loss = _step(learner, targets, rows, moment, plan)
            if loss is not None:
                losses.append(loss)
            if progress is not None and number % 50 == 0:
                progress(moment / plan.epochs, f"epoch {epoch + 1} of {plan.epochs}")
        mean = math.fsum(losses) / max(1, len(losses))
    return mean


def _step(learner: Learner, targets: Targets | GroupTargets, rows: Tensor, moment: float, plan: Plan) -> float | None:
    logits = learner.logits(rows).float()
    if isinstance(targets, GroupTargets):
        return _stepped(learner, targets.loss(logits, rows), rows)
    log_probs = torch.log_softmax(logits, dim=1)
    found = targets.batch(rows, log_probs.detach().exp(), moment)
    if not bool(found.used.any()):
        return None
    loss = batch_loss(log_probs, found)
    extra = learner.extra_loss(rows, found, log_probs)
    if extra is not None:
        loss = loss + refinery.ramp(moment, plan.extra_ramp * plan.epochs) * extra
    return _stepped(learner, loss, rows)


def _stepped(learner: Learner, loss: Tensor, rows: Tensor) -> float:
    value = float(loss.detach())
    if not math.isfinite(value):
        raise TrainingError(f"the loss became {value}; rows of the batch: {sorted(rows.tolist())[:20]}")
    learner.step(loss)
    return value


def batch_loss(log_probs: Tensor, found: BatchTargets) -> Tensor:
    """Mean cross-entropy over used rows, weighted where rows have weights."""
    if found.weight is None:
        return refinery.refinery_loss(log_probs, found.targets, found.used)
    weight = torch.where(found.used, found.weight, 0.0) / found.used.sum().clamp(min=1)
    return -(found.targets.detach() * weight[:, None] * log_probs).sum()


def take_snapshot(learner: Learner, targets: Targets, stop: Stop | None) -> Snapshot:
    """Score all rows in chunks; only vectors of length n are kept."""
    sets = getattr(targets, "sets", None)
    if sets is None:
        raise TrainingError("this method needs candidate sets")
    parts = []
    for rows in torch.split(torch.arange(learner.rows), learner.snapshot_rows):
        if stop is not None and stop():
            raise TrainingStopped("stopped while scoring all rows")
        parts.append(refinery.snapshot(learner.score(rows).exp().cpu(), sets[rows]))
    return refinery.join(parts)


def _batches(parts: Sequence[Tensor], size: int, generators: Sequence[torch.Generator]) -> Iterator[Tensor]:
    """Row numbers of every step: as many for each network, one network after the other.

    Where one network has a row more than another one, some row of it is left out.
    """
    least = min(map(len, parts))
    orders = [
        torch.split(part[torch.randperm(len(part), generator=generator)[:least]], size)
        for part, generator in zip(parts, generators, strict=True)
    ]
    yield from map(torch.cat, zip(*orders, strict=True))
