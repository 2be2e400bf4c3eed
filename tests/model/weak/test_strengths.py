"""People's labels tell whether teacher or similar texts deserve more trust; without enough of them nothing moves."""

from __future__ import annotations

import numpy as np
import pytest

from model.training.data import TrainingData
from model.weak import strengths as module
from model.weak.neighbours import pooled
from model.weak.posterior import PRIOR_STRENGTH, teacher_posterior
from model.weak.space import Space
from model.weak.strengths import Strengths, strengths
from tests.support.toys import Toy

ROWS = np.arange(0, 400, 8)
NOBODY = np.zeros(400, np.bool_)


def careless_teacher(toy: Toy) -> TrainingData:
    """Right in half of its answers, wrong at random in the others: similar texts know better."""
    random = np.random.default_rng(0)
    said = np.where(random.random(len(toy.labels)) < 0.5, toy.labels, random.integers(4, size=len(toy.labels)))
    sets = np.eye(4, dtype=np.bool_)[said]
    return TrainingData(toy.texts, sets, np.zeros(len(said), np.bool_), None, sets, said)


def test_similar_texts_count_more_where_people_agree_with_them() -> None:
    toy = Toy(400, 4, noise=0.5, seed=1)
    data, space = careless_teacher(toy), Space(toy.embed(toy.texts))
    found = strengths(data, space, ROWS, toy.labels[ROWS])
    assert found.trust is not None
    assert found.trust > pooled(teacher_posterior(data), space, NOBODY, toy.labels, trust=1.0)[1].explained
    assert found.error_before is not None
    assert found.error_after is not None
    assert found.error_after < found.error_before


def test_similar_texts_are_silent_where_people_contradict_them() -> None:
    toy = Toy(400, 4, seed=2)
    people = np.random.default_rng(1).integers(4, size=400)  # the embedding knows nothing of what they decide
    sets = np.eye(4, dtype=np.bool_)[np.where(np.arange(400) % 3 == 0, toy.labels, people)]
    data, space = TrainingData(toy.texts, sets, NOBODY, None, sets, sets.argmax(1)), Space(toy.embed(toy.texts))
    found = strengths(data, space, np.arange(0, 400, 2), people[::2])
    explained = pooled(teacher_posterior(data), space, NOBODY, toy.labels)[1].explained
    assert found.trust is not None
    assert found.trust < 0.7 * explained


def test_few_labels_and_no_clear_gain_leave_the_fixed_strengths() -> None:
    toy = Toy(400, 4, seed=3)
    data, space = toy.data(right=0.9), Space(toy.embed(toy.texts))
    assert strengths(data, space, ROWS[:19], toy.labels[ROWS[:19]]) == Strengths()
    assert Strengths() == Strengths(PRIOR_STRENGTH, None)
    truth = np.eye(4)[toy.labels[ROWS]]
    errors = {Strengths(prior, trust): (truth * 0.1).sum(1) for prior in (0.5, 0.75) for trust in (None, 1.0)}
    assert module._chosen(errors, 0.5) == Strengths()


def test_large_pools_are_compared_on_a_sample_that_holds_all_decided_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_ROWS", 100)
    sample, places = module._sample(400, ROWS)
    assert (sample[places] == ROWS).all()
    assert len(sample) <= 100 + len(ROWS)
    toy = Toy(400, 4, noise=0.5, seed=1)
    assert strengths(careless_teacher(toy), Space(toy.embed(toy.texts)), ROWS, toy.labels[ROWS]).trust is not None


def test_trust_takes_the_place_of_what_is_explained() -> None:
    toy = Toy(400, 4, seed=4)
    posterior, space = teacher_posterior(toy.data(right=0.7)), Space(toy.embed(toy.texts))
    same, _ = pooled(posterior, space, NOBODY, toy.labels, trust=0.0)
    assert same is posterior
    usual, found = pooled(posterior, space, NOBODY, toy.labels)
    given, _ = pooled(posterior, space, NOBODY, toy.labels, trust=found.explained)
    assert np.array_equal(usual, given)
