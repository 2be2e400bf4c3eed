"""What a teacher's states say of labels, against values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from model.groups import Group
from model.labels import CandidateSet, HumanLabel, Label, LabelSpace
from model.training.data import training_data
from model.training.group_targets import GroupTargets
from model.weak.independent import label_beliefs
from model.weak.label_states import (
    ABSENT,
    CERTAIN,
    POSSIBLE,
    START,
    expected,
    learned,
    log_ratios,
    sigmoid,
    start,
    states,
)

SPACE = LabelSpace(tuple(Label(name) for name in "abcd"), "", "several", 0)


def test_the_start_table_at_three_in_ten() -> None:
    found = np.array([[CERTAIN, POSSIBLE, ABSENT]], np.int8)
    ratios = log_ratios(np.stack([START] * 3), found, np.ones(1, np.bool_))
    assert expected(np.full((1, 3), 0.3), ratios)[0].tolist() == pytest.approx([0.857143, 0.348837, 0.027778], abs=1e-6)


def test_loss_and_gradient_of_an_interval() -> None:
    p = torch.tensor([[0.8, 0.3, 0.6, 0.1]])
    logits = torch.logit(p).requires_grad_()
    q = torch.tensor([[1.0, 0.3, 0.6, 0.0]])  # certain: a; absent: d; in between what is believed
    GroupTargets(q, (Group("", "any", 0, 4),)).loss(logits, torch.tensor([0])).backward()
    assert logits.grad is not None
    assert logits.grad[0].tolist() == pytest.approx([-0.2, 0.0, 0.0, 0.1], abs=1e-6)
    decided = -(torch.log(p[0, 0]) + torch.log(1 - p[0, 3]))
    assert float(decided) == pytest.approx(0.328504, abs=1e-6)


def test_a_long_list_with_few_right_labels_does_not_make_certain_ones_unlikely() -> None:
    found = np.full((200, 60), ABSENT, np.int8)
    found[:, 0], found[:, 1] = CERTAIN, POSSIBLE
    table, share = start(found)
    assert table.sum(1).tolist() == pytest.approx([1.0, 1.0])
    ratios = log_ratios(np.stack([table] * 60), found[:1], np.ones(1, np.bool_))
    believed = expected(np.full((1, 60), share), ratios)[0]
    assert believed[0] == pytest.approx(6 / 7, abs=0.02)
    assert believed[2:].max() < 0.01


def test_people_teach_how_often_the_teacher_errs() -> None:
    random = np.random.default_rng(0)
    truth = random.random((300, 4)) < 0.4
    found = np.where(random.random(truth.shape) < 0.5, CERTAIN, ABSENT).astype(np.int8)  # a coin, whatever is right
    tables = learned(START, found, truth)
    assert tables.sum(2) == pytest.approx(1.0)
    ratios = log_ratios(tables, found, np.ones(len(truth), np.bool_))
    assert np.abs(expected(np.full(truth.shape, 0.4), ratios) - 0.4).max() < 0.12


def test_beliefs_keep_to_what_people_said_and_tell_right_labels_from_wrong_ones() -> None:
    random = np.random.default_rng(3)
    truth = random.random((240, 4)) < 0.35
    vectors = (truth @ random.normal(size=(4, 12)) + 0.3 * random.normal(size=(240, 12))).astype(np.float32)
    sets, people = [], []
    for row, right in enumerate(truth):
        certain = right & (random.random(4) < 0.7) | ~right & (random.random(4) < 0.1)
        names = tuple(SPACE.names[label] for label in np.flatnonzero(certain))
        sets.append(CandidateSet(names, (), names))
        answer = tuple(SPACE.names[label] for label in np.flatnonzero(right))
        people.append(HumanLabel(answer, answer) if row < 40 else None)
    data = training_data(SPACE, [str(row) for row in range(240)], sets, people)
    found = label_beliefs(data, vectors)
    assert found.shares[:40].astype(bool).tolist() == truth[:40].tolist()
    rest, right = found.shares[40:].astype(np.float64), truth[40:]
    teacher = states(data)[40:] == CERTAIN
    assert ((rest > 0.5) == right).mean() > (teacher == right).mean() + 0.03
    assert sigmoid(np.array([-800.0, 0.0, 800.0])).tolist() == [0.0, 0.5, 1.0]
