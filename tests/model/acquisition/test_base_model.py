"""Base scores from the frozen encoder, and temperatures that make them comparable."""

from __future__ import annotations

import numpy as np
import pytest

from model.acquisition.base_model import ClassMeans, CosineBase, LabelSimilarity, LinearProbe
from model.acquisition.pool import from_array, from_vectors
from model.acquisition.temperature import matching_temperature, softened, temperature_for, tempered
from model.arrays import FloatArray
from model.errors import NotEnoughDataError

LABELS, WIDTH = 3, 16


def clusters(rows: int = 90, seed: int = 0) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Vectors around one centre per label, one-hot targets, and the centres."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(LABELS, WIDTH)).astype(np.float32)
    truth = np.arange(rows) % LABELS
    noise = random.normal(scale=0.3, size=(rows, WIDTH))
    return (centres[truth] + noise).astype(np.float32), np.eye(LABELS, dtype=np.float32)[truth], centres


@pytest.mark.parametrize("kind", [ClassMeans, LinearProbe])
def test_fitted_base_scores_find_separated_labels(kind: type[ClassMeans] | type[LinearProbe]) -> None:
    vectors, targets, _ = clusters()
    answers = kind.fit(vectors, targets)(vectors)
    np.testing.assert_allclose(answers.sum(axis=1), 1, atol=1e-5)
    assert (answers.argmax(axis=1) == targets.argmax(axis=1)).mean() > 0.95


@pytest.mark.parametrize("kind", [ClassMeans, LinearProbe])
def test_a_label_with_four_tasks_is_too_little(kind: type[ClassMeans] | type[LinearProbe]) -> None:
    vectors, targets, _ = clusters(14)
    with pytest.raises(NotEnoughDataError, match="1 of 3"):
        kind.fit(vectors, targets)


def test_label_similarity_needs_names_only_and_ignores_length() -> None:
    vectors, targets, centres = clusters()
    score = LabelSimilarity(centres)
    assert (score(vectors).argmax(axis=1) == targets.argmax(axis=1)).mean() > 0.95
    np.testing.assert_allclose(score(vectors), score(5 * vectors), atol=1e-4)


def test_class_means_weigh_soft_targets() -> None:
    vectors, targets, _ = clusters()
    soft = 0.8 * targets + 0.2 / LABELS
    hard, mixed = ClassMeans.fit(vectors, targets), ClassMeans.fit(vectors, soft.astype(np.float32))
    assert hard.means.shape == mixed.means.shape == (LABELS, WIDTH)
    assert (mixed(vectors).argmax(axis=1) == hard(vectors).argmax(axis=1)).mean() > 0.9


def test_temperature_makes_both_equally_sure() -> None:
    random = np.random.default_rng(0)
    student = from_array(random.dirichlet(np.full(4, 0.3), 500).astype(np.float32))
    base = from_array(random.dirichlet(np.full(4, 5.0), 500).astype(np.float32))
    rows = np.arange(500)
    warm = tempered(base, matching_temperature(student, base, rows))
    assert abs(float(warm(rows).max(axis=1).mean() - student(rows).max(axis=1).mean())) < 1e-3
    np.testing.assert_array_equal(warm(rows).argmax(axis=1), base(rows).argmax(axis=1))
    assert matching_temperature(student, base, rows[:0]) == 1.0


def test_temperature_of_a_constant_base_is_finite() -> None:
    flat = np.full((10, 4), 0.25, np.float32)
    assert 1e-3 <= temperature_for(flat, 0.9) <= 1e3
    certain = np.eye(4, dtype=np.float32)
    assert np.isfinite(softened(certain, 1000.0)).all()
    np.testing.assert_allclose(softened(certain, 1.0), certain, atol=1e-6)


def test_from_vectors_computes_only_what_is_asked() -> None:
    vectors, _, centres = clusters()
    seen: list[int] = []

    def classify(part: FloatArray) -> FloatArray:
        seen.append(len(part))
        return LabelSimilarity(centres)(part)

    answers = from_vectors(vectors.astype(np.float16), classify)(np.array([4, 7]))
    assert answers.shape == (2, LABELS)
    assert seen == [2]


def test_what_a_cosine_alone_says_is_the_students_mean_there() -> None:
    random = np.random.default_rng(0)
    cosines = random.random(400).astype(np.float32)
    follows = np.stack([1 - cosines, cosines], axis=1)
    base = CosineBase.fit(cosines, follows)
    assert np.abs(base(cosines) - follows).max() < 0.05  # a student that only knows the cosine: no deviation
    other = np.where(random.random(400) < 0.5, 0.9, 0.1).astype(np.float32)
    said = CosineBase.fit(cosines, np.stack([1 - other, other], axis=1))(cosines)
    assert np.abs(said[:, 1] - 0.5).mean() < 0.1  # what the cosine does not tell is averaged out
    np.testing.assert_allclose(said.sum(axis=1), 1, atol=1e-5)
    few = CosineBase.fit(cosines[:3], follows[:3])(cosines[:3])
    np.testing.assert_allclose(few, np.tile(follows[:3].mean(0), (3, 1)), atol=1e-5)
