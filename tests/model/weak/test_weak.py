"""What teacher, similar texts and people say together: exact on small cases, better than its parts on toy problems."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.arrays import IntArray
from model.errors import TrainingStopped
from model.training.data import TrainingData
from model.training.options import TrainingOptions
from model.weak import chunks
from model.weak.beliefs import beliefs, settled, sharpened
from model.weak.chunks import Dense, Shares
from model.weak.judges import Known
from model.weak.neighbours import Opinion, pooled
from model.weak.posterior import teacher_posterior
from model.weak.space import Space
from model.weak.supervised import heads_alone, joined
from model.weak.transition import corrected
from tests.support.toys import Toy

FAST = TrainingOptions(epochs=15, hidden=16)
NOBODY = np.zeros(400, np.bool_)
EACH = np.arange(400)


def own(believed: Shares, count: int) -> Dense:
    """What is believed of the first rows: no label has been used for it."""
    return believed[:count].astype(np.float64)


def known(toy: Toy, number: int) -> Known:
    rows = np.arange(number)
    return Known(rows, toy.labels[:number], rows, np.ones(number))


def right(shares: Shares, labels: IntArray) -> float:
    return float((shares.argmax(1) == labels).mean())


def toy_data(toy: Toy, **more: float) -> TrainingData:
    return toy.data(**more)  # type: ignore[arg-type]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000), st.integers(2, 6), st.integers(1, 40), st.booleans())
def test_posteriors_are_distributions_whatever_the_teacher_says(seed: int, labels: int, rows: int, told: bool) -> None:
    random = np.random.default_rng(seed)
    sets = random.random((rows, labels)) < 0.4
    human = ~sets.any(1)
    candidates = sets.copy()
    candidates[human, 0] = True
    confidences = (sets * random.random((rows, labels))).astype(np.float32) if told else None
    data = TrainingData([str(row) for row in range(rows)], candidates, human, confidences, sets)
    posterior = teacher_posterior(data).astype(np.float64)
    assert np.allclose(posterior.sum(1), 1, atol=5e-3)
    assert bool((posterior > 0).all())
    assert np.allclose(posterior[human], 1 / labels, atol=1e-3)


def test_without_confidences_the_first_label_counts_more() -> None:
    sets = np.array([[True, True, False]] * 4)
    data = TrainingData(list("abcd"), sets, np.zeros(4, np.bool_), None, sets, np.array([0, 1, 0, 1]))
    posterior = teacher_posterior(data, strength=0.0, outside=0.0)
    assert posterior[0].tolist() == pytest.approx([0.75, 0.25, 0.0])
    assert posterior[1].tolist() == pytest.approx([0.25, 0.75, 0.0])


def test_a_label_that_the_teacher_always_prefers_is_held_against_it() -> None:
    confidences = np.tile(np.array([[0.6, 0.4, 0.0]], np.float32), (100, 1))
    confidences[50:] = [0.6, 0.0, 0.4]
    sets = confidences > 0
    data = TrainingData([str(row) for row in range(100)], sets, np.zeros(100, np.bool_), confidences, sets)
    assert teacher_posterior(data, strength=0.0).argmax(1).tolist() == [0] * 100
    assert teacher_posterior(data, strength=0.75).argmax(1).tolist() == [1] * 50 + [2] * 50


def test_similar_texts_decide_between_equal_candidates() -> None:
    toy = Toy(400, 4, seed=1)
    data = toy_data(toy, right=1.0)
    equal = (data.candidates / data.candidates.sum(1, keepdims=True)).astype(np.float32)
    posterior = teacher_posterior(dataclasses.replace(data, confidences=equal))
    together, found = pooled(posterior, Space(toy.embed(toy.texts)), EACH)
    assert right(together, toy.labels) > max(0.95, right(posterior, toy.labels) + 0.1)
    assert 0.1 < found.explained < 1


def test_how_frequent_labels_are_counts_once() -> None:
    """Two witnesses that know nothing but the frequency of each label agree with it; they do not square it."""
    posterior = np.tile(np.array([[0.7, 0.2, 0.1]], np.float16), (400, 1))
    vectors = Toy(400, 3, seed=3).embed(Toy(400, 3, seed=3).texts)
    together, _ = pooled(posterior, Space(vectors), EACH, trust=1.0, even=True)
    np.testing.assert_allclose(together.astype(np.float32), posterior.astype(np.float32), atol=2e-3)


def test_an_encoder_that_knows_nothing_does_no_harm() -> None:
    toy = Toy(400, 4, seed=2)
    posterior = teacher_posterior(toy_data(toy, right=0.75))
    noise = np.random.default_rng(0).normal(size=(400, 16)).astype(np.float32)
    together, found = pooled(posterior, Space(noise), EACH)
    assert found.explained < 0.05
    assert right(together, toy.labels) >= right(posterior, toy.labels) - 0.01


def test_pieces_do_not_change_the_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    toy = Toy(400, 4, seed=3)
    data = toy_data(toy, right=0.8)
    whole, _ = pooled(teacher_posterior(data), Space(toy.embed(toy.texts)), EACH)
    monkeypatch.setattr(chunks, "CHUNK", 7)
    parts, _ = pooled(teacher_posterior(data), Space(toy.embed(toy.texts)), EACH)
    assert np.allclose(whole.astype(np.float32), parts.astype(np.float32), atol=2e-3)


def test_a_systematic_confusion_is_learnt_from_few_people() -> None:
    toy = Toy(400, 4, noise=1.5, seed=4)
    swapped = np.array([1, 0, 2, 3])[toy.labels]  # the teacher always takes 0 for 1 and 1 for 0
    sets = np.eye(4, dtype=np.bool_)[swapped]
    posterior = teacher_posterior(TrainingData(toy.texts, sets, NOBODY, None, sets, swapped))
    after, found, left_out = corrected(
        posterior, posterior, toy.embed(toy.texts), swapped, known(toy, 40), own(posterior, 40)
    )
    assert found.used
    assert right(posterior[40:], toy.labels[40:]) < 0.6
    assert right(after[40:], toy.labels[40:]) > 0.9
    assert left_out.shape == (40, 4)
    assert right(left_out.astype(np.float16), toy.labels[:40]) > 0.8


def test_a_good_teacher_is_left_alone_and_few_labels_change_nothing() -> None:
    toy = Toy(400, 4, noise=3.0, seed=5)
    sets = np.eye(4, dtype=np.bool_)[toy.labels]
    posterior = teacher_posterior(TrainingData(toy.texts, sets, NOBODY, None, sets, toy.labels))
    vectors = toy.embed(toy.texts)
    after, _, _ = corrected(posterior, posterior, vectors, toy.labels, known(toy, 30), own(posterior, 30))
    assert right(after, toy.labels) == 1.0
    same, found, _ = corrected(posterior, posterior, vectors, toy.labels, known(toy, 5), own(posterior, 5))
    assert same is posterior
    assert not found.used


def test_the_teacher_fades_when_people_teach_better() -> None:
    toy = Toy(400, 4, seed=6)
    believed, left_out = np.full((400, 4), 0.25, np.float16), np.full((120, 4), 0.25)
    vectors = toy.embed(toy.texts)
    heads = heads_alone(vectors, known(toy, 120), 4, FAST)
    assert heads is not None
    after, unseen, weights = joined(believed, left_out, heads, known(toy, 120))
    assert weights.supervised > 0
    assert right(after[120:], toy.labels[120:]) > 0.8
    assert right(unseen.astype(np.float16), toy.labels[:120]) > 0.7
    assert heads_alone(vectors, known(toy, 10), 4, FAST) is None


def test_heads_are_right_about_labels_left_out_nearly_as_often_as_about_any_others() -> None:
    """Few labels, nearly all alike, long vectors that say nothing. If left-out rows had a part in the mean that all
    are centred by, they would look like the opposite of the others: right in .05 in place of .85."""
    random, unseen, others = np.random.default_rng(3), [], []
    for _ in range(3):
        vectors = random.normal(size=(300, 384)).astype(np.float32)
        labels = np.where(random.random(300) < 0.85, 0, random.integers(1, 4, size=300))
        rows = np.arange(20)
        heads = heads_alone(vectors, Known(rows, labels[:20], rows, np.ones(20)), 4, TrainingOptions())
        assert heads is not None
        unseen.append((heads.unseen.argmax(1) == labels[:20]).mean())
        others.append((heads.said[20:].argmax(1) == labels[20:]).mean())
    assert np.mean(unseen) > np.mean(others) - 0.15


def test_a_row_and_its_twins_leave_the_opinion_together() -> None:
    """What a ridge regression without them says, computed the slow way."""
    toy = Toy(60, 3, noise=1.0, seed=10)
    vectors = toy.embed(toy.texts)
    vectors[5] = vectors[17] = vectors[3]
    groups = np.arange(60)
    groups[[5, 17]] = 3
    targets = np.random.default_rng(0).dirichlet(np.ones(3), 60).astype(np.float16)
    opinion = Opinion(Space(vectors), targets, groups)
    inputs = np.hstack([vectors - vectors.mean(0), np.ones((60, 1))]).astype(np.float64)
    penalty = opinion.agreement.penalty
    for row in (3, 5, 30):
        others = groups != groups[row]
        gram = inputs[others].T @ inputs[others] + penalty * np.eye(17)
        weights = np.linalg.solve(gram, inputs[others].T @ targets[others].astype(np.float64))
        assert opinion.left_out(slice(row, row + 1))[0] == pytest.approx(inputs[row] @ weights, abs=1e-3)


def test_left_out_is_left_out_also_of_twins() -> None:
    """Labels at random, half of the rows doubled: what is believed of a row knows nothing of its own label."""
    random, gains = np.random.default_rng(11), []
    for seed in range(6):
        toy = Toy(200, 2, noise=2.0, seed=seed)
        vectors = np.repeat(toy.embed(toy.texts)[:100], 2, axis=0)
        labels = np.repeat(random.integers(2, size=100), 2)
        rows = np.arange(200)
        twins = Known(rows, labels, rows // 2, np.ones(200))
        flat = np.full((200, 2), 0.5, np.float16)
        heads = heads_alone(vectors, twins, 2, FAST)
        assert heads is not None
        _, _, left_out = corrected(flat, flat, vectors, np.zeros(200, np.int64), twins, own(flat, 200))
        gains += [part[rows, labels].mean() - 0.5 for part in (left_out, heads.unseen)]
    assert np.mean(gains) < 0.02


def test_people_are_never_contradicted_and_narrowed_sets_are_respected() -> None:
    toy = Toy(120, 4, seed=7)
    data = toy_data(toy, right=0.5, human=20)
    narrowed = data.candidates.copy()
    narrowed[10:20] = False
    narrowed[10:20, :2] = True
    found = beliefs(dataclasses.replace(data, candidates=narrowed), toy.embed(toy.texts), FAST)
    assert (found.shares[:10].argmax(1) == toy.labels[:10]).all()
    assert np.allclose(found.shares[:10].max(1), 1)
    assert np.allclose(found.shares[10:20, 2:], 0)
    assert np.allclose(found.shares.astype(np.float64).sum(1), 1, atol=5e-3)
    assert set(found.to_json()) == {
        "strengths", "agreement", "correction", "weights", "floor", "mixture", "prior", "human_labels_representative",
        "likeness", "set_aside",
    }  # fmt: skip


def test_people_say_nothing_about_a_teacher_that_was_never_asked_about_their_tasks() -> None:
    toy = Toy(400, 4, noise=0.5, seed=9)
    human = np.arange(400) < 120
    people = np.where(human, (toy.labels + 1) % 4, toy.labels)  # of another domain, where labels mean something else
    proposed = np.eye(4, dtype=np.bool_)[toy.labels] & ~human[:, None]
    data = TrainingData(toy.texts, np.eye(4, dtype=np.bool_)[people], human, None, proposed)
    found = beliefs(data, toy.embed(toy.texts), FAST)
    assert (found.correction.used, found.strengths.error_after, found.weights.supervised) == (False, None, 0.0)
    assert right(found.shares[120:], toy.labels[120:]) > 0.95
    assert right(found.shares[:120], people[:120]) == 1.0


def test_sharpening_keeps_the_order() -> None:
    shares = np.array([[0.5, 0.3, 0.2]], np.float16)
    assert sharpened(shares.copy())[0] == pytest.approx([0.6579, 0.2368, 0.1053], abs=2e-3)


def test_it_stops_between_pieces() -> None:
    toy = Toy(100, 4, seed=8)
    with pytest.raises(TrainingStopped):
        beliefs(toy_data(toy), toy.embed(toy.texts), FAST, stop=lambda: True)


def test_nothing_is_weighed_where_people_decided_everything() -> None:
    toy = Toy(60, 3, seed=5)
    data = toy.data(human=60)
    asked: list[bool] = []
    found = beliefs(data, toy.embed(toy.texts), FAST, stop=lambda: bool(asked.append(True)))
    assert not asked
    assert np.array_equal(found.shares.astype(np.float32), np.eye(3, dtype=np.float32)[toy.labels])
    assert found.representative


def test_near_ties_are_settled_and_rows_stay_distributions() -> None:
    ties = np.array([[0.51, 0.49], [0.2, 0.8]], np.float16)
    assert settled(ties.copy()).astype(np.float64) == pytest.approx(np.array([[0.755, 0.245], [0.1, 0.9]]), abs=1e-3)
