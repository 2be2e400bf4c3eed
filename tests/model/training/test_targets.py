"""Targets of the methods, batch by batch, and the loop around them."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from model.errors import TrainingError
from model.training.extra_losses import filtered_consistency, mixup_loss
from model.training.freeal import FreealTargets, clean_probability
from model.training.loop import Plan, batch_loss, train
from model.training.refinery import Gate, Snapshot, snapshot
from model.training.targets import BatchTargets, FixedTargets, RefineryTargets, SoftTargets

ROWS = torch.arange(4)
SETS = torch.tensor([[1, 1, 0], [0, 1, 1], [1, 0, 0], [0, 0, 1]], dtype=torch.bool)
PROBS = torch.tensor([[0.6, 0.3, 0.1], [0.995, 0.003, 0.002], [0.1, 0.1, 0.8], [0.2, 0.2, 0.6]])
NOBODY = torch.zeros(4, dtype=torch.bool)


def refinery(human: Tensor = NOBODY, open_gate: bool = True) -> RefineryTargets:
    return RefineryTargets(SETS, human, Gate(10, 3, open=open_gate), 0.85, 0.5, 0.99)


def test_the_first_epoch_is_uniform_and_the_warm_up_filters_nothing() -> None:
    targets = refinery(open_gate=False)
    targets.begin(0, snapshot(PROBS, SETS))
    assert targets.batch(ROWS, PROBS, 0.0).targets[0].tolist() == [0.5, 0.5, 0.0]
    targets.begin(1, snapshot(PROBS, SETS))
    found = targets.batch(ROWS, PROBS, 1.0)
    assert bool(found.used.all())
    assert found.targets[0].tolist() == pytest.approx([2 / 3, 1 / 3, 0.0])


def test_after_the_gate_rows_are_filtered_overruled_and_sharpened() -> None:
    targets = refinery()
    targets.begin(5, snapshot(PROBS, SETS))
    found = targets.batch(ROWS, PROBS, 5.0)
    assert found.used.tolist() == [True, True, False, True]
    assert found.targets[1].tolist() == [1.0, 0.0, 0.0]
    assert found.targets[0, 0] > 2 / 3


def test_people_are_not_filtered() -> None:
    targets = refinery(human=torch.tensor([False, True, True, False]))
    targets.begin(5, snapshot(PROBS, SETS))
    found = targets.batch(ROWS, PROBS, 5.0)
    assert bool(found.used.all())
    assert found.targets[1, 0] == 0
    assert found.targets[2].tolist() == [1.0, 0.0, 0.0]


def test_a_student_that_contradicts_most_sets_switches_selection_off() -> None:
    targets = refinery()
    targets.begin(5, snapshot(PROBS.roll(1, 1).flip(0), SETS.roll(1, 0)))
    against = torch.tensor([[0.1, 0.1, 0.8], [0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.8, 0.1]])
    targets.begin(6, snapshot(against, SETS))
    assert bool(targets.batch(ROWS, against, 6.0).used.all())
    assert "contradict" in targets.warnings[0]


def test_as_published_nothing_is_protected_and_the_loss_is_divided_by_all_rows() -> None:
    targets = RefineryTargets(SETS, NOBODY, Gate(10, 3, waits=False), 0.85, 0.5, 0.99, published=True)
    targets.begin(2, snapshot(PROBS, SETS))
    assert bool(targets.batch(ROWS, PROBS, 2.0).used.all())  # warm-up
    targets.begin(3, snapshot(PROBS, SETS))
    found = targets.batch(ROWS, PROBS, 3.0)
    assert found.used.tolist() == [True, True, False, True]
    assert found.within is not None
    assert found.within.tolist() == [True, False, False, True]  # the overruled row is drawn to its own answer, too
    logs = PROBS.log()
    losses = -(found.targets * logs).sum(1)
    assert float(batch_loss(logs, found)) == pytest.approx(float(losses[found.used].sum() / 4))


def test_fixed_and_soft_targets_leave_rows_out() -> None:
    fixed = FixedTargets(torch.tensor([2, -1, 0, 1]), 3).batch(ROWS, PROBS, 0.0)
    assert fixed.used.tolist() == [True, False, True, True]
    assert fixed.targets[0].tolist() == [0, 0, 1]
    soft = SoftTargets(PROBS.half(), torch.tensor([1.0, 0.0, 0.5, 1.0])).batch(ROWS, PROBS, 0.0)
    assert soft.used.tolist() == [True, False, True, True]


def test_freeal_keeps_the_rows_of_small_loss_and_people() -> None:
    losses = torch.cat([torch.full((50,), 0.1) + torch.rand(50) * 0.1, torch.full((20,), 3.0) + torch.rand(20) * 0.1])
    clean = clean_probability(losses)
    assert bool((clean[:50] > 0.7).all())
    assert bool((clean[50:] < 0.3).all())
    human = torch.arange(70) >= 65
    targets = FreealTargets(torch.zeros(70, dtype=torch.int64), human, 3, warm_up=3)
    anything = torch.zeros(70, dtype=torch.int64)
    found = Snapshot(anything, losses, losses, human)
    targets.begin(0, found)
    assert bool(targets.batch(torch.arange(70), PROBS, 0.0).used.all())
    targets.begin(4, found)
    assert targets.batch(torch.arange(70), PROBS, 4.0).used.sum() == 55


def test_extra_losses_survive_batches_without_usable_rows() -> None:
    nothing = BatchTargets(torch.full((4, 3), 1 / 3), NOBODY)
    random = torch.Generator().manual_seed(0)
    assert float(mixup_loss(PROBS, nothing, lambda inputs: inputs, random)) == 0
    everything = ~NOBODY
    assert float(filtered_consistency(PROBS.log(), PROBS.log(), everything)) == 0
    assert float(filtered_consistency(PROBS.log() * 0.85, PROBS.log(), NOBODY)) == pytest.approx(0, abs=1e-6)
    mixed = mixup_loss(PROBS, BatchTargets(PROBS, everything), lambda inputs: inputs.log(), random)
    assert bool(torch.isfinite(mixed))


class Line:
    """A learner of four rows with one row of logits each, which can be spoilt."""

    rows, num_labels, snapshot_rows = 4, 3, 2

    def __init__(self, spoilt: bool = False) -> None:
        self.values = torch.zeros(4, 3, requires_grad=True)
        self.spoilt, self.steps = spoilt, 0

    def parameters(self) -> list[Tensor]:
        return [self.values]

    def logits(self, rows: Tensor) -> Tensor:
        return self.values[rows] * (float("nan") if self.spoilt else 1.0)

    def score(self, rows: Tensor) -> Tensor:
        return torch.log_softmax(self.values[rows].detach(), 1)

    def extra_loss(self, rows: Tensor, found: BatchTargets, log_probs: Tensor) -> Tensor | None:
        return None

    def step(self, loss: Tensor) -> None:
        (gradient,) = torch.autograd.grad(loss, [self.values])
        self.values.data -= gradient
        self.steps += 1


def test_batches_without_usable_rows_make_no_step() -> None:
    learner = Line()
    nobody = FixedTargets(torch.full((4,), -1), 3)
    assert train(learner, nobody, Plan(2, 2, (0,)), None, None) == 0.0
    assert learner.steps == 0


def test_a_loss_that_is_not_finite_stops_and_names_its_rows() -> None:
    with pytest.raises(TrainingError, match=r"rows of the batch: \[0, 1, 2, 3\]"):
        train(Line(spoilt=True), FixedTargets(torch.zeros(4, dtype=torch.int64), 3), Plan(1, 4, (0,)), None, None)


def test_the_loop_learns_and_snapshots_in_pieces() -> None:
    learner, targets = Line(), refinery(open_gate=False)
    loss = train(learner, targets, Plan(30, 2, (0,)), None, None)
    assert learner.score(ROWS).argmax(1)[2:].tolist() == [0, 2]
    assert 0 < loss < 1.1
