"""Temperatures and conformal sets: exact on small cases, right on average on large ones, silent when data is short."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from model.arrays import FloatArray, IntArray
from model.calibration import (
    Calibration,
    calibrate,
    conformal_threshold,
    covered_sets,
    expected_calibration_error,
    fit_temperature,
    least_labels,
    likelihood_loss,
    tempered,
)
from model.errors import NotEnoughDataError


def drawn(rows: int, labels: int, sharpness: float, seed: int) -> tuple[FloatArray, IntArray]:
    """True probabilities to the power `sharpness`, and labels drawn from the true ones."""
    random = np.random.default_rng(seed)
    true = random.dirichlet(np.full(labels, 0.5), size=rows).astype(np.float32)
    chosen = (true.cumsum(1) > random.random((rows, 1))).argmax(1)
    return tempered(np.maximum(true, 1e-6), 1 / sharpness), chosen


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 3.0])
def test_the_temperature_undoes_a_known_one(sharpness: float) -> None:
    shares, labels = drawn(6000, 4, sharpness, 0)
    found = fit_temperature(shares, labels)
    assert found == pytest.approx(sharpness, rel=0.12)
    better = tempered(shares, found)
    assert likelihood_loss(better, labels) <= likelihood_loss(shares, labels) + 1e-9
    error = expected_calibration_error(better, labels)
    assert error is not None
    assert error < 0.04


def test_tempering_keeps_order_and_sums() -> None:
    shares, _ = drawn(50, 5, 1.0, 1)
    for temperature in (0.2, 1.0, 7.0):
        other = tempered(shares, temperature)
        assert np.allclose(other.sum(1), 1, atol=1e-5)
        assert np.array_equal(other.argmax(1), shares.argmax(1))


def test_the_finite_sample_rank() -> None:
    probabilities = np.array([[1 - score, score] for score in np.linspace(0.01, 0.19, 19)], np.float32)
    labels = np.zeros(19, np.int64)
    assert least_labels(0.9) == 9
    assert least_labels(0.95) == 19
    assert conformal_threshold(probabilities[:8], labels[:8], 0.9) is None
    assert conformal_threshold(probabilities[:9], labels[:9], 0.9) == pytest.approx(0.09, abs=1e-6)
    assert conformal_threshold(probabilities, labels, 0.9) == pytest.approx(0.18, abs=1e-6)
    with pytest.raises(ValueError, match="coverage"):
        least_labels(1.0)


@pytest.mark.parametrize("coverage", [0.8, 0.9, 0.95])
def test_coverage_holds_on_average(coverage: float) -> None:
    held = []
    for seed in range(200):  # of so many the mean is off by 0.003
        shares, labels = drawn(400, 6, 2.0, seed)
        threshold = conformal_threshold(shares[:200], labels[:200], coverage)
        assert threshold is not None
        sets = covered_sets(shares[200:], threshold)
        held.append(sets[np.arange(200), labels[200:]].mean())
    assert abs(np.mean(held) - coverage) < 0.02


def test_sets_are_never_empty_and_grow_with_the_threshold() -> None:
    shares, _ = drawn(100, 5, 1.0, 2)
    small, large = covered_sets(shares, 0.1), covered_sets(shares, 0.8)
    assert bool(small.any(1).all())
    assert not bool((small & ~large).any())


def test_classes_can_have_their_own_thresholds() -> None:
    shares, labels = drawn(12000, 3, 1.0, 3)
    shares[:, 2] *= 0.5
    found = calibrate(shares / shares.sum(1, keepdims=True), labels, 0.9)
    other, truth = drawn(12000, 3, 1.0, 4)
    other[:, 2] *= 0.5
    other = tempered(other / other.sum(1, keepdims=True), found.temperature)
    common, own = found.sets(other), dataclasses.replace(found, by_class=True).sets(other)
    rows = np.arange(12000)
    for label in range(3):
        assert own[rows, truth][truth == label].mean() == pytest.approx(0.9, abs=0.03)
    assert common[rows, truth].mean() == pytest.approx(0.9, abs=0.02)
    assert common[rows, truth][truth == 2].mean() < 0.9


def test_a_calibration_survives_its_card() -> None:
    shares, labels = drawn(120, 3, 1.0, 6)
    found = calibrate(shares, labels, 0.8, by_class=True)
    assert Calibration.from_json(json.loads(json.dumps(found.to_json()))) == found
    assert found.error is not None
    assert 0.0 < found.error < 0.2
    former = {key: value for key, value in found.to_json().items() if key != "error"}
    assert Calibration.from_json(former).error is None
    with pytest.raises(TypeError):
        Calibration.from_json({"temperature": 1.0})


def test_too_few_labels_are_said_to_be_too_few() -> None:
    shares, labels = drawn(12, 3, 1.0, 5)
    found = calibrate(shares, labels, 0.95)
    assert found.threshold is None
    assert found.temperature == 1.0
    assert "promising 95% takes 19" in found.note
    assert "calibrated scores take 60 human labels kept for testing" in found.note
    with pytest.raises(NotEnoughDataError, match="takes 19 human labels kept for testing"):
        found.sets(shares)
    with pytest.raises(NotEnoughDataError, match="30 are needed"):
        fit_temperature(shares, labels)
    assert expected_calibration_error(shares[:0], labels[:0]) is None
    assert (found.to_json()["labels"], found.error) == (12, None)
