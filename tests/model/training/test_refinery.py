"""The refinery against the test vectors and invariants of the specification."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from model.training import refinery

P5 = torch.tensor(
    [
        [0.70, 0.20, 0.10],
        [0.60, 0.35, 0.05],
        [0.55, 0.05, 0.40],
        [0.50, 0.30, 0.20],
        [0.10, 0.80, 0.10],
        [0.05, 0.90, 0.05],
        [0.02, 0.96, 0.02],
        [0.30, 0.60, 0.10],
        [0.20, 0.20, 0.60],
        [0.30, 0.30, 0.40],
    ],
    dtype=torch.float64,
)
S5 = [[0, 1], [0, 1], [0, 2], [0], [1, 2], [1], [0, 2], [0, 2], [0, 1, 2], [2]]
LOSSES5 = [0.635067, 0.709403, 0.731923, 0.693147, 0.454193, 0.105361, 3.912023, 1.478626, 0.950271, 0.916291]


def sets_of(rows: list[list[int]], labels: int) -> Tensor:
    sets = torch.zeros(len(rows), labels, dtype=torch.bool)
    for row, columns in enumerate(rows):
        sets[row, columns] = True
    return sets


def close(found: Tensor, expected: list[float] | list[list[float]], tolerance: float = 1e-6) -> None:
    assert torch.allclose(found.double(), torch.tensor(expected, dtype=torch.float64), atol=tolerance, rtol=0)


NOBODY = torch.zeros(10, dtype=torch.bool)


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ([1, 2], [0, 0.666667, 0.333333, 0]),
        ([0, 1, 3], [0.588235, 0.352941, 0, 0.058824]),
        ([3], [0, 0, 0, 1]),
        ([0, 1, 2, 3], [0.5, 0.3, 0.15, 0.05]),
    ],
)
def test_renormalised_targets(columns: list[int], expected: list[float]) -> None:
    probs = torch.tensor([[0.5, 0.3, 0.15, 0.05]])
    close(refinery.renormalise(probs, sets_of([columns], 4)), [expected])


def test_uniform_targets() -> None:
    close(refinery.uniform(sets_of([[1, 2]], 4)), [[0, 0.5, 0.5, 0]])


def test_loss_and_gradient_are_those_of_the_mass_in_the_set() -> None:
    logits = torch.tensor([[0.5, 0.3, 0.15, 0.05]], dtype=torch.float64).log().requires_grad_()
    sets = sets_of([[1, 2]], 4)
    log_probs = torch.log_softmax(logits, 1)
    targets = refinery.renormalise(log_probs.exp(), sets)
    assert not targets.requires_grad
    loss = refinery.refinery_loss(log_probs, targets, torch.tensor([True]))
    loss.backward()  # type: ignore[no-untyped-call]
    assert float(loss.detach()) == pytest.approx(1.435022, abs=1e-6)
    assert logits.grad is not None
    close(logits.grad, [[0.5, -0.366667, -0.183333, 0.05]])


@pytest.mark.parametrize(
    ("gamma", "before", "after"),
    [
        (0.85, [0.6, 0.4], [0.617043, 0.382957]),
        (0.85, [0.9, 0.1], [0.929888, 0.070112]),
        (0.85, [0.5, 0.3, 0.2], [0.529505, 0.290316, 0.180179]),
        (0.5, [0.6, 0.4], [0.692308, 0.307692]),
    ],
)
def test_sharpening(gamma: float, before: list[float], after: list[float]) -> None:
    close(refinery.sharpen(torch.tensor([before], dtype=torch.float64), gamma), [after])


def test_a_gamma_outside_its_range_is_refused() -> None:
    with pytest.raises(ValueError, match="gamma"):
        refinery.sharpen(torch.ones(1, 2), 0.0)


def test_selection_of_the_vector_table() -> None:
    found = refinery.snapshot(P5, sets_of(S5, 3))
    close(found.loss, LOSSES5)
    within = refinery.in_candidates(found.inside, NOBODY)
    assert within.nonzero().squeeze(1).tolist() == [0, 1, 2, 3, 4, 5, 8, 9]
    assert refinery.small_loss(found, within, 3, 0.5).nonzero().squeeze(1).tolist() == [0, 3, 5, 9]
    assert refinery.small_loss(found, within, 3, 0.4).nonzero().squeeze(1).tolist() == [0, 5, 9]
    assert refinery.high_confidence(found.confidence, within, 0.95).nonzero().squeeze(1).tolist() == [6]
    assert not refinery.high_confidence(found.confidence, within, 0.99).any()


def test_final_targets_and_loss_of_the_vector_table() -> None:
    sets = sets_of(S5, 3)
    found = refinery.snapshot(P5, sets)
    chosen = refinery.select(found, NOBODY, 3, delta=0.5, tau=0.95)
    first = refinery.renormalise(P5, sets)
    targets = refinery.final_targets(first, chosen.small, chosen.overruled, found.predicted, 0.85)
    close(targets[0], [0.813640, 0.186360, 0])
    close(targets[6], [0, 1, 0])
    assert not chosen.used[7]
    mean = refinery.refinery_loss(P5.log(), targets, chosen.used)
    assert float(mean) == pytest.approx(0.576839, abs=1e-6)
    assert float(mean) * int(chosen.used.sum()) / 10 == pytest.approx(0.519155, abs=1e-6)
    everyone = refinery.everything(10).used
    assert float(refinery.refinery_loss(P5.log(), first, everyone)) == pytest.approx(1.058631, abs=1e-6)
    assert float(refinery.refinery_loss(P5.log(), refinery.uniform(sets), everyone)) == pytest.approx(
        1.240664, abs=1e-6
    )


def test_extra_losses() -> None:
    clean, other = torch.tensor([[0.5, 0.3, 0.2]]), torch.tensor([[0.4, 0.4, 0.2]])
    outside = torch.tensor([False])
    assert float(refinery.consistency_loss(other.log(), clean, clean, outside)) == pytest.approx(0.025267, abs=1e-6)
    assert float(refinery.consistency_loss(clean.log(), other, other, outside)) == pytest.approx(0.025815, abs=1e-6)
    close(refinery.mix(torch.tensor([1.0, 0, 0]), torch.tensor([0, 0.7, 0.3]), 0.6), [0.6, 0.28, 0.12])
    assert [refinery.ramp(epoch, 10) for epoch in (0, 0.5, 3.25, 10, 12)] == [0, 0.05, 0.325, 1, 1]


def test_an_empty_batch_gives_zero_and_no_nan() -> None:
    logits = torch.randn(3, 4, requires_grad=True)
    loss = refinery.refinery_loss(
        torch.log_softmax(logits, 1), torch.full((3, 4), 0.25), torch.zeros(3, dtype=torch.bool)
    )
    loss.backward()  # type: ignore[no-untyped-call]
    assert float(loss.detach()) == 0
    assert logits.grad is not None
    assert bool(torch.isfinite(logits.grad).all())


def test_underflow_gives_the_uniform_target() -> None:
    probs = torch.softmax(torch.tensor([[1e4, -1e4, -1e4]]), 1)
    targets = refinery.renormalise(probs, sets_of([[1, 2]], 3))
    close(targets, [[0, 0.5, 0.5]])
    assert bool(torch.isfinite(refinery.target_loss(probs, targets)).all())


@st.composite
def cases(draw: st.DrawFn) -> tuple[Tensor, Tensor]:
    rows, labels = draw(st.integers(1, 12)), draw(st.integers(2, 6))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    spread = draw(st.sampled_from([0.1, 1.0, 5.0]))
    probs = torch.softmax(spread * torch.randn(rows, labels, generator=generator, dtype=torch.float64), 1)
    sets = torch.rand(rows, labels, generator=generator) < draw(st.sampled_from([0.2, 0.5, 0.9]))
    sets[torch.arange(rows), torch.randint(labels, (rows,), generator=generator)] = True
    return probs, sets


gammas = st.floats(0.3, 1.0)


@given(cases(), gammas)
def test_targets_stay_inside_the_set(case: tuple[Tensor, Tensor], gamma: float) -> None:
    probs, sets = case
    first = refinery.renormalise(probs, sets)
    sharp = refinery.sharpen(first, gamma)
    for targets in (first, sharp):
        assert bool((targets >= 0).all())
        assert bool((targets[~sets] == 0).all())
        close(targets.sum(1), [1.0] * len(targets))
    single = sets.sum(1) == 1
    assert torch.equal(first[single], sets[single].double())
    assert torch.equal(sharp[single], sets[single].double())
    full = sets.all(1)
    assert torch.allclose(first[full], probs[full])
    assert torch.allclose(refinery.renormalise(first, sets), first)


@given(cases(), gammas, gammas)
def test_sharpening_sharpens(case: tuple[Tensor, Tensor], one: float, two: float) -> None:
    probs, sets = case
    first = refinery.renormalise(probs, sets)
    sharp = refinery.sharpen(first, one)
    assert bool((sharp.max(1).values >= first.max(1).values - 1e-12).all())
    assert bool((torch.special.entr(sharp).sum(1) <= torch.special.entr(first).sum(1) + 1e-9).all())
    assert torch.equal(sharp.argmax(1), first.argmax(1))
    assert torch.allclose(refinery.sharpen(first, 1.0), first)
    assert torch.allclose(refinery.sharpen(refinery.sharpen(first, one), two), refinery.sharpen(first, one * two))
    flat = refinery.uniform(sets)
    assert torch.allclose(refinery.sharpen(flat, one), flat)


@given(cases())
def test_the_loss_is_bounded_by_the_mass_in_the_set(case: tuple[Tensor, Tensor]) -> None:
    probs, sets = case
    loss = refinery.target_loss(probs, refinery.renormalise(probs, sets))
    mass = -torch.where(sets, probs, 0.0).sum(1).log()
    assert bool((loss >= mass - 1e-9).all())
    assert bool((loss <= mass + sets.sum(1).log() + 1e-9).all())


@given(cases(), st.floats(0.1, 0.9), st.floats(0.3, 0.95))
def test_selection_partitions_and_counts(case: tuple[Tensor, Tensor], delta: float, tau: float) -> None:
    probs, sets = case
    labels = sets.shape[1]
    found = refinery.snapshot(probs, sets)
    nobody = torch.zeros(len(sets), dtype=torch.bool)
    chosen = refinery.select(found, nobody, labels, delta, tau)
    assert not bool((chosen.small & ~chosen.within).any())
    assert not bool((chosen.overruled & chosen.within).any())
    assert not refinery.high_confidence(found.confidence, chosen.within, 1.0).any()
    for label in range(labels):
        members = chosen.within & (found.predicted == label)
        count = int(members.sum())
        picked = members & chosen.small
        assert int(picked.sum()) == (max(1, int(delta * count + 1e-9)) if count else 0)
        if picked.any() and (members & ~picked).any():
            assert found.loss[picked].max() <= found.loss[members & ~picked].min()
    wider = refinery.small_loss(found, chosen.within, labels, min(1.0, delta + 0.1))
    assert not bool((chosen.small & ~wider).any())


@given(cases(), st.integers(0, 2**31))
def test_permuting_rows_or_labels_permutes_the_outcome(case: tuple[Tensor, Tensor], seed: int) -> None:
    probs, sets = case
    labels = sets.shape[1]
    nobody = torch.zeros(len(sets), dtype=torch.bool)
    generator = torch.Generator().manual_seed(seed)
    rows, columns = torch.randperm(len(sets), generator=generator), torch.randperm(labels, generator=generator)

    def outcome(p: Tensor, s: Tensor) -> refinery.Selection:
        return refinery.select(refinery.snapshot(p, s), nobody, labels, 0.5, 0.6)

    plain, by_rows, by_labels = outcome(probs, sets), outcome(probs[rows], sets[rows]), None
    by_labels = outcome(probs[:, columns], sets[:, columns])
    assert torch.equal(plain.within[rows], by_rows.within)
    assert torch.equal(plain.small[rows], by_rows.small)
    assert torch.equal(plain.overruled[rows], by_rows.overruled)
    assert torch.equal(plain.within, by_labels.within)
    halves = refinery.join([refinery.snapshot(p, s) for p, s in zip(probs.split(3), sets.split(3), strict=True)])
    assert torch.equal(halves.loss, refinery.snapshot(probs, sets).loss)


@settings(max_examples=20)
@given(cases())
def test_people_and_unlearnt_labels_are_never_filtered(case: tuple[Tensor, Tensor]) -> None:
    probs, sets = case
    found = refinery.snapshot(probs, sets)
    human = torch.arange(len(sets)) % 2 == 0
    weak = torch.zeros(sets.shape[1], dtype=torch.bool)
    weak[0] = True
    protected = refinery.protected_rows(sets, human, weak)
    chosen = refinery.select(found, protected, sets.shape[1], 0.5, 0.0)
    assert bool(chosen.within[human | sets[:, 0]].all())
    assert not bool(chosen.overruled[human | sets[:, 0]].any())


def test_weak_labels_are_expected_but_never_predicted() -> None:
    sets = sets_of([[0, 1]] * 10 + [[2]] * 2, 3)
    expected = refinery.expected_counts(sets, chunk=5)
    close(expected, [5.0, 5.0, 2.0])
    weak = refinery.weak_labels(torch.zeros(12, dtype=torch.int64), expected)
    assert weak.tolist() == [False, True, False]


def test_the_gate_waits_for_weak_labels_and_settling_but_opens_at_half_time() -> None:
    sets = sets_of([[0], [1]], 2)
    agree = refinery.snapshot(torch.tensor([[0.9, 0.1], [0.1, 0.9]]), sets)
    none, weak = torch.zeros(2, dtype=torch.bool), torch.tensor([True, False])
    gate = refinery.Gate(epochs=20, warm_up=3)
    assert [gate.step(epoch, agree, none) for epoch in range(5)] == [False, False, False, True, True]
    published = refinery.Gate(epochs=20, warm_up=3, waits=False)
    assert [published.step(epoch, agree, weak) for epoch in range(5)] == [False, False, False, True, True]
    slow = refinery.Gate(epochs=20, warm_up=3)
    assert [slow.step(epoch, agree, weak) for epoch in range(12)] == [False] * 10 + [True] * 2
