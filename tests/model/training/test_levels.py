"""Heads of levels in order: one direction for all borders where levels lie on a line, a softmax in every case."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from model.arrays import softmax
from model.labels import HumanLabel, Label, LabelSpace
from model.student.head import head_logits
from model.train import train_student, training_data
from model.training.levels import UNEVEN, shrinking
from model.training.linear_head import linear_head
from model.training.options import TrainingOptions
from model.training.targets import SoftTargets

ROWS, WIDTH, LEVELS = 150, 24, 5
RANDOM = np.random.default_rng(3)
VECTORS = RANDOM.normal(size=(ROWS, WIDTH)).astype(np.float32)
LATENT = VECTORS @ RANDOM.normal(size=WIDTH) + 3.0 * RANDOM.normal(size=ROWS)
ON_A_LINE = np.searchsorted(np.quantile(LATENT, [0.2, 0.4, 0.6, 0.8]), LATENT)
BY_THEMSELVES = np.array([2, 0, 4, 1, 3])[ON_A_LINE]  # named in an order that says nothing
FOLD_OF = np.arange(ROWS) % 3


def told(levels: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.eye(LEVELS)[levels])


def uneven(head: dict[str, np.ndarray]) -> float:
    """The share of a head's weights that is no even change, beside what moves all levels alike."""
    steps = np.arange(LEVELS) - (LEVELS - 1) / 2
    centred = head["out"] - head["out"].mean(1, keepdims=True)
    line = np.outer(centred @ steps, steps) / (steps @ steps)
    return float(((centred - line) ** 2).sum() / (centred**2).sum())


def test_other_directions_than_the_even_change_are_shrunk() -> None:
    assert np.linalg.eigvalsh(shrinking(LEVELS)) == pytest.approx([UNEVEN] * (LEVELS - 1) + [1.0], abs=1e-6)


def test_linear_heads_change_evenly_and_answer_unseen_rows_better() -> None:
    seen, held, targets = FOLD_OF != 0, FOLD_OF == 0, SoftTargets(told(ON_A_LINE), torch.ones(ROWS))
    rows = targets.part(torch.from_numpy(np.flatnonzero(seen)))
    heads = [linear_head(VECTORS[seen], rows, levels=levels) for levels in (None, shrinking(LEVELS))]
    free, even = (softmax(head_logits(head, VECTORS[held])) for head in heads)
    assert uneven(heads[1]) < uneven(heads[0]) / 4
    places = np.arange(LEVELS)
    assert np.abs(even @ places - ON_A_LINE[held]).mean() < np.abs(free @ places - ON_A_LINE[held]).mean()


def test_a_student_of_levels_says_whether_they_lie_on_a_line() -> None:
    names = ("1", "2", "3", "4", "5")
    texts = [f"text {row}" for row in range(ROWS)]
    place = {text: row for row, text in enumerate(texts)}
    unit = VECTORS / np.linalg.norm(VECTORS, axis=1, keepdims=True)

    def found(space: LabelSpace, levels: np.ndarray) -> object:
        labels = [HumanLabel((names[level],)) for level in levels]
        data = training_data(space, texts, [None] * ROWS, labels)
        options = TrainingOptions(way="head")
        _, report = train_student(space, data, options, lambda asked: unit[[place[text] for text in asked]])
        line = report.found["linear_head"]
        assert isinstance(line, dict)
        return line.get("levels")

    ordered = LabelSpace(tuple(map(Label, names)), answer="ordered")
    assert found(ordered, ON_A_LINE) == "on a line"
    assert found(ordered, BY_THEMSELVES) == "each by itself"
    assert found(replace(ordered, answer="one"), ON_A_LINE) is None
