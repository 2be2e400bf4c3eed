"""Fair samples of any pool pass, however uneven it is; sorted files and what a machine chose do not."""

from __future__ import annotations

import numpy as np
import pytest

from model.arrays import IntArray
from model.weak.representative import degrees_of_doubt, doubt_weights, likeness, weighted_counts

ZIPF = 1 / np.arange(1, 51)
POOLS = {
    "95/5": [0.95, 0.05],
    "one of 20 has 90 %": [0.9] + [0.1 / 19] * 19,
    "10 of 50 occur": [0.1] * 10 + [0.0] * 40,
    "10 even": [0.1] * 10,
    "77 even": [1 / 77] * 77,
    "50, Zipf": list(ZIPF / ZIPF.sum()),
}
SPREAD = ("10 of 50 occur", "10 even", "77 even", "50, Zipf")  # their sorted files differ from them at once
ROWS = 2000


def pool(shares: list[float]) -> tuple[IntArray, IntArray]:
    """True labels, and those of a teacher that is right three times in four."""
    random = np.random.default_rng(0)
    truth = random.choice(len(shares), ROWS, p=shares).astype(np.int64)
    said = np.where(random.random(ROWS) < 0.75, truth, random.integers(len(shares), size=ROWS))
    return truth, said


@pytest.mark.parametrize("name", POOLS)
def test_fair_samples_are_refused_in_at_most_one_case_of_a_hundred(name: str) -> None:
    _, said = pool(POOLS[name])
    random = np.random.default_rng(1)
    alarms = [
        not likeness(said, random.choice(ROWS, number, replace=False), seed=draw).fair
        for number in (20, 200)
        for draw in range(30)
    ]
    assert np.mean(alarms) <= 0.01


@pytest.mark.parametrize("name", SPREAD)
@pytest.mark.parametrize("number", [20, 50, 200])
def test_sorted_files_are_refused(name: str, number: int) -> None:
    truth, said = pool(POOLS[name])
    found = likeness(said, np.argsort(truth, kind="stable")[:number])
    assert not found.fair
    assert "the teacher's answers on these tasks differ from those on the pool" in found.sentence()


def test_a_sorted_file_of_an_uneven_pool_lacks_the_rare_label() -> None:
    random = np.random.default_rng(5)
    truth = (random.random(ROWS) < 0.05).astype(np.int64)
    said = np.where(random.random(ROWS) < 0.99, truth, 1 - truth)
    found = likeness(said, np.argsort(truth, kind="stable")[:400])
    assert found.distance < 0.1
    assert found.lacking
    assert not found.fair
    alarms = [not likeness(said, random.choice(ROWS, 400, replace=False), seed=draw).fair for draw in range(40)]
    assert not any(alarms)


def test_texts_give_a_sorted_file_away_where_the_teacher_is_blind() -> None:
    random = np.random.default_rng(2)
    truth = random.integers(8, size=ROWS)
    vectors = (np.eye(8)[truth] + 0.1 * random.normal(size=(ROWS, 8))).astype(np.float32)
    blind = random.integers(8, size=ROWS)
    rows = np.argsort(truth, kind="stable")[:60]
    assert likeness(blind, rows).fair
    assert likeness(blind, rows, vectors).sign == "texts"
    assert not likeness(blind, rows, vectors).fair
    assert likeness(blind, random.choice(ROWS, 60, replace=False), vectors).fair


def test_labels_that_a_machine_asked_for_are_told_by_its_doubts_and_weighted() -> None:
    lead = np.random.default_rng(3).random(ROWS)
    believed = np.stack([(1 + lead) / 2, (1 - lead) / 2], 1)
    doubts = degrees_of_doubt(believed.astype(np.float16))
    assert np.bincount(doubts).tolist() == [ROWS // 5] * 5
    chosen = np.argsort(lead)[: ROWS // 4]
    found = likeness(np.zeros(ROWS, np.int64), chosen, doubts=doubts)
    assert (found.fair, found.sign) == (False, "doubts")
    mixed = np.concatenate([np.argsort(lead)[:40], np.random.default_rng(4).choice(np.argsort(lead)[40:], 40)])
    weights = doubt_weights(doubts, mixed)
    assert weights.mean() == pytest.approx(1)
    assert (weights * lead[mixed]).mean() == pytest.approx(lead.mean(), abs=0.1)
    assert lead[mixed].mean() < 0.35


def test_a_large_sample_is_not_refused_for_a_trifle() -> None:
    first = np.repeat([0, 1], 5000)
    rows = np.arange(2800, 8000)  # 2,200 of one label and 3,000 of the other: six points off
    found = likeness(first, rows)
    assert found.chance == pytest.approx(0.001)
    assert found.fair


def test_counts_are_worth_their_effective_number() -> None:
    assert weighted_counts(np.array([0, 1]), np.array([0.5, 0.5]), 2).tolist() == pytest.approx([1, 1])
    counts = weighted_counts(np.array([0, 1]), np.array([0.1, 0.9]), 2)
    assert counts.sum() == pytest.approx((10 + 1 / 0.9) ** 2 / (100 + 1 / 0.81))
    assert counts[0] / counts[1] == pytest.approx(9)
    assert weighted_counts(np.zeros(0, np.int64), np.zeros(0), 3).tolist() == [0, 0, 0]


def test_no_labels_contradict_nothing() -> None:
    assert likeness(np.arange(5), np.arange(0)).fair
