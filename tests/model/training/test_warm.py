"""A training that goes on from an earlier head: when it may, how long it takes, and that it ends as well."""

from __future__ import annotations

import dataclasses

import numpy as np

from model.student.head import HeadStudent
from model.train import TrainingOptions, train_student
from model.training.warm import LEAST_ROWS, fitting
from tests.support.toys import Toy

WAY = TrainingOptions(hidden=16)


def test_a_large_pool_goes_on_for_a_fifth_of_the_epochs_and_answers_as_well() -> None:
    toy = Toy(rows=LEAST_ROWS, noise=1.0)
    first, report = train_student(toy.space, toy.data(human=20), WAY, toy.embed)
    assert isinstance(first, HeadStudent)
    assert (report.epochs, report.went_on) == (40, False)
    more = toy.data(human=40)
    anew, _ = train_student(toy.space, more, WAY, toy.embed)
    second, report = train_student(toy.space, more, WAY, toy.embed, start=first)
    assert (report.epochs, report.went_on) == (8, True)
    assert report.settings == WAY.to_json()
    right = [(one.probabilities(toy.texts, toy.embed).argmax(1) == toy.labels).mean() for one in (anew, second)]
    assert right[1] >= right[0] - 0.01


def test_it_begins_where_the_earlier_head_ended() -> None:
    toy = Toy(rows=LEAST_ROWS)
    first, _ = train_student(toy.space, toy.data(), dataclasses.replace(WAY, epochs=1), toy.embed)
    assert isinstance(first, HeadStudent)
    vectors = toy.embed(toy.texts)
    assert fitting(first, toy.space, WAY, vectors, None) is first.heads[0]
    assert fitting(None, toy.space, WAY, vectors, None) is None
    others = (
        dataclasses.replace(WAY, hidden=8),
        dataclasses.replace(WAY, hidden=0),
        dataclasses.replace(WAY, encoder="another"),
        dataclasses.replace(WAY, runtime="bfloat16"),
        dataclasses.replace(WAY, epochs=5),
        dataclasses.replace(WAY, method="distillation"),
    )
    assert all(fitting(first, toy.space, one, vectors, None) is None for one in others)
    assert fitting(first, Toy(rows=2, labels=5).space, WAY, vectors, None) is None
    assert fitting(first, toy.space, WAY, vectors[: LEAST_ROWS - 1], None) is None
    assert fitting(first, toy.space, WAY, np.zeros((LEAST_ROWS, 17), np.float32), None) is None
