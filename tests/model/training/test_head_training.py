"""Heads that are trained in the same steps become what each becomes alone."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from model.arrays import FloatArray
from model.student.head import head_logits
from model.training.head_training import HeadLearner
from model.training.loop import Plan, train
from model.training.options import TrainingOptions
from model.training.targets import FixedTargets
from tests.support.toys import Toy

OPTIONS = TrainingOptions(hidden=24)
SEEDS = (3, 5, 8)


def trained(toy: Toy, seeds: tuple[int, ...], parts: list[list[int]] | None = None) -> list[FloatArray]:
    """Logits of all texts by each head."""
    vectors = toy.embed(toy.texts)
    rows = None if parts is None else tuple(torch.tensor(part) for part in parts)
    plan = Plan(6, 16, seeds, rows)
    least = len(vectors) if parts is None else min(map(len, parts))
    learner = HeadLearner(vectors, 4, OPTIONS, plan.epochs * math.ceil(least / plan.batch), seeds)
    train(learner, FixedTargets(torch.from_numpy(toy.labels), 4), plan, None, None)
    return [head_logits(head, vectors) for head in learner.weights()]


@pytest.mark.parametrize("parts", [None, [list(range(60)), list(range(20, 80)), list(range(0, 120, 2))]])
def test_together_as_alone(parts: list[list[int]] | None) -> None:
    toy = Toy(rows=120)
    together = trained(toy, SEEDS, parts)
    alone = [trained(toy, (seed,), None if parts is None else [parts[at]])[0] for at, seed in enumerate(SEEDS)]
    for found, wanted in zip(together, alone, strict=True):
        assert np.allclose(found, wanted, atol=1e-3)
    assert not np.allclose(together[0], together[1], atol=0.1)


def test_parts_of_unequal_length_leave_out_a_row_at_most_and_nothing_of_others() -> None:
    toy = Toy(rows=120)
    here, there = list(range(0, 61)), list(range(61, 120))
    first, second = trained(toy, (1, 2), [here, there])
    assert (first.argmax(1) == toy.labels)[here].mean() > 0.6
    assert (second.argmax(1) == toy.labels)[there].mean() > 0.6
    toy.labels[there] = (toy.labels[there] + 1) % 4
    changed, _ = trained(toy, (1, 2), [here, there])
    assert np.allclose(first, changed, atol=1e-3)
