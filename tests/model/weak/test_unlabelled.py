"""Texts without any answer: which of them take part in a training, as what, and what for."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from model.student.head import HeadStudent
from model.train import train_student
from model.training.options import TrainingOptions
from model.training.targets import SoftTargets
from model.weak.unlabelled import MOST_TIMES, with_own_answers, with_part
from tests.support.toys import Toy

FAST = TrainingOptions(epochs=12, hidden=32, way="head")


@pytest.mark.parametrize(
    ("texts", "most", "change", "taken"),
    [
        (2, 100, {}, 0),  # fewer than 5 % of the 60 rows
        (50, 100, {}, 50),
        (1000, 100, {}, 100),
        (1000, 10_000, {}, 60 * MOST_TIMES),
        (50, 0, {}, 0),
        (50, 100, {"method": "distillation"}, 0),
        (50, 100, {"way": "finetune"}, 0),
    ],
)
def test_a_bounded_random_part_takes_part(texts: int, most: int, change: dict[str, str], taken: int) -> None:
    given = [f"more {number}" for number in range(texts)]
    data = dataclasses.replace(Toy(rows=60).data(), unlabelled=given)
    options = dataclasses.replace(FAST, unlabelled=most, **change)  # type: ignore[arg-type]
    found = list(with_part(data, options).unlabelled)
    assert len(found) == taken
    assert found == [text for text in given if text in set(found)], "in the order of the pool"
    assert found == list(with_part(data, options).unlabelled)
    if 0 < taken < texts:
        assert found[-1] != given[taken - 1], "a random part, not the first ones"
        assert found != list(with_part(data, dataclasses.replace(options, seed=1)).unlabelled)


def test_own_answers_follow_what_was_given_and_similar_texts_correct_them() -> None:
    toy = Toy(rows=130, noise=0.5)
    student, _ = train_student(toy.space, toy.data().rows(np.arange(10)), dataclasses.replace(FAST, heads=1), toy.embed)
    assert isinstance(student, HeadStudent)
    given = torch.eye(4)[toy.labels[:30]].half()
    vectors = toy.embed(toy.texts)
    targets = with_own_answers(SoftTargets(given, torch.full((30,), 0.5)), student, vectors[30:], vectors)
    found = targets.batch(torch.arange(130), torch.zeros(130, 4), 0.0)
    assert found.used.all()
    assert found.weight is not None
    assert found.weight.tolist() == [0.5] * 30 + [1.0] * 100
    assert torch.equal(found.targets[:30], given.float())
    assert torch.allclose(found.targets.sum(1), torch.ones(130), atol=2e-3)
    own, truth = student.of_vectors(vectors[30:]), toy.labels[30:]
    assert found.targets[30:].max(1).values.mean() > own.max(1).mean()
    assert (found.targets[30:].argmax(1).numpy() == truth).mean() > (own.argmax(1) == truth).mean()


def test_the_rest_of_the_pool_takes_part_in_a_training() -> None:
    toy = Toy(rows=400, noise=0.5)
    some, rest = toy.data(right=0.8).rows(np.arange(60)), toy.texts[60:260]
    alone, first = train_student(toy.space, some, FAST, toy.embed)
    toy.asked = 0
    student, report = train_student(toy.space, dataclasses.replace(some, unlabelled=rest), FAST, toy.embed)
    assert (first.unlabelled_rows, report.unlabelled_rows, report.rows) == (0, 200, 60)
    assert toy.asked == 260
    answers = student.probabilities(toy.texts, toy.embed), alone.probabilities(toy.texts, toy.embed)
    right = [float((found[260:].argmax(1) == toy.labels[260:]).mean()) for found in answers]
    assert right[0] >= right[1] > 0.5
    assert answers[0][60:260].max(1).mean() > answers[1][60:260].max(1).mean(), "its own answers were sharpened"
