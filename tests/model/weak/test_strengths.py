"""People's labels tell whether similar texts deserve more trust; without enough of them nothing moves."""

from __future__ import annotations

import numpy as np
import pytest

from model.training.data import TrainingData
from model.weak import strengths as module
from model.weak.judges import Known
from model.weak.neighbours import pooled
from model.weak.posterior import teacher_posterior
from model.weak.space import Space
from model.weak.strengths import Strengths, strengths
from tests.support.toys import Toy

ROWS = np.arange(0, 400, 4)
EACH = np.arange(400)


def known(toy: Toy, rows: np.ndarray = ROWS) -> Known:
    return Known(rows, toy.labels[rows], rows, np.ones(len(rows)))


def careless_teacher(toy: Toy) -> TrainingData:
    """Right in half of its answers, wrong at random in the others: similar texts know better."""
    random = np.random.default_rng(0)
    said = np.where(random.random(len(toy.labels)) < 0.5, toy.labels, random.integers(4, size=len(toy.labels)))
    sets = np.eye(4, dtype=np.bool_)[said]
    return TrainingData(toy.texts, sets, np.zeros(len(said), np.bool_), None, sets, said)


def test_similar_texts_count_more_where_people_agree_with_them() -> None:
    toy = Toy(400, 4, noise=0.5, seed=1)
    posterior, space = teacher_posterior(careless_teacher(toy)), Space(toy.embed(toy.texts))
    found = strengths(posterior, space, EACH, known(toy))
    assert found.trust is not None
    assert found.trust > pooled(posterior, space, EACH)[1].explained
    assert found.error_before is not None
    assert found.error_after is not None
    assert found.error_after < found.error_before


def test_few_labels_and_no_clear_gain_leave_the_fixed_strength() -> None:
    toy = Toy(400, 4, seed=3)
    posterior, space = teacher_posterior(toy.data(right=0.9)), Space(toy.embed(toy.texts))
    assert strengths(posterior, space, EACH, known(toy, ROWS[:19])) == Strengths()
    errors = {trust: np.full(100, 0.5) for trust in (0.0, None, 1.0)}
    assert module._chosen(errors, 0.5, np.ones(100)) == Strengths()
    errors[1.0] = 0.5 - 0.1 * (np.arange(100) % 2)
    assert module._chosen(errors, 0.5, np.ones(100)).trust == pytest.approx(0.75)


def test_large_pools_are_compared_on_a_sample_that_holds_all_decided_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_ROWS", 100)
    sample, places = module._sample(400, ROWS)
    assert (sample[places] == ROWS).all()
    assert len(sample) <= 100 + len(ROWS)
    toy = Toy(400, 4, noise=0.5, seed=1)
    posterior = teacher_posterior(careless_teacher(toy))
    assert strengths(posterior, Space(toy.embed(toy.texts)), EACH, known(toy)).trust is not None


def test_trust_takes_the_place_of_what_is_explained() -> None:
    toy = Toy(400, 4, seed=4)
    posterior, space = teacher_posterior(toy.data(right=0.7)), Space(toy.embed(toy.texts))
    same, _ = pooled(posterior, space, EACH, trust=0.0)
    assert same is posterior
    usual, found = pooled(posterior, space, EACH)
    given, _ = pooled(posterior, space, EACH, trust=found.explained)
    assert np.array_equal(usual, given)
