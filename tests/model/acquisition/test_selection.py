"""Selecting batches: exactness, reproducibility, fallbacks, bounded memory."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.acquisition.informativeness import Flip, TotalVariation
from model.acquisition.pool import BLOCK, Pool, distinct, from_array, from_vectors
from model.acquisition.rules import DEFAULT, RULES, rule
from model.acquisition.selection import Rule, balanced, select
from model.acquisition.spread import KMeansSpread, NoSpread
from model.acquisition.uncertainty import Margin
from model.arrays import FloatArray, IntArray
from tests.support.vectors import toy_pool


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(RULES)), st.integers(0, 70), st.integers(0, 60), st.integers(0, 5))
def test_exactly_the_asked_number_of_distinct_eligible_tasks(name: str, count: int, eligible: int, seed: int) -> None:
    pool = toy_pool(80)
    rows = np.random.default_rng(seed).permutation(80)[:eligible]
    found = select(pool, rule(name, seed), count, rows, seed)
    assert len(found.rows) == min(count, eligible)
    assert len(set(found.rows.tolist())) == len(found.rows)
    assert set(found.rows.tolist()) <= set(rows.tolist())
    again = select(pool, rule(name, seed), count, np.sort(rows), seed)
    np.testing.assert_array_equal(found.rows, again.rows)


def test_the_random_share_is_marked_and_has_a_propensity() -> None:
    found = select(toy_pool(), Rule("r", Margin()), 21, np.arange(100), seed=1)
    assert int(found.random.sum()) == 5  # ceil(0.2 * 21)
    assert found.propensity == pytest.approx(0.05)
    assert found.random[-5:].all()


def test_without_spread_the_best_come_first_and_ties_go_to_small_margins() -> None:
    student = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.55, 0.45]], np.float32)
    base = np.array([[0.1, 0.9], [0.1, 0.9], [0.1, 0.9], [0.1, 0.9]], np.float32)
    pool = Pool(4, from_array(student), from_array(base))
    flips = select(pool, Rule("flip", Flip(), NoSpread(), 0.0), 4, np.arange(4), 0)
    assert flips.rows.tolist() == [3, 1, 0, 2]
    margin = select(pool, Rule("margin", Margin(), NoSpread(), 0.0), 2, np.array([0, 1, 2]), 0)
    assert margin.rows.tolist() == [1, 2]


def test_equal_base_and_student_fall_back_to_random_and_say_so() -> None:
    answers = np.random.default_rng(0).dirichlet(np.ones(3), 50).astype(np.float32)
    vectors = np.random.default_rng(1).normal(size=(50, 4)).astype(np.float32)
    pool = Pool(50, from_array(answers), from_array(answers), (), vectors)
    found = select(pool, Rule("ci", TotalVariation()), 10, np.arange(50), seed=2)
    assert "the same for all tasks" in found.note
    assert len(found.rows) == 10
    assert found.rows.tolist() != select(pool, Rule("ci", TotalVariation()), 10, np.arange(50), seed=3).rows.tolist()


def test_before_there_is_a_student_the_batch_is_random_and_spread() -> None:
    vectors = np.repeat(np.eye(4, dtype=np.float32), 25, axis=0)
    found = select(Pool(100, embeddings=vectors), Rule("m", Margin(), KMeansSpread(10), 0.0), 4, np.arange(100), seed=0)
    assert "needs student" in found.note
    assert sorted(row // 25 for row in found.rows.tolist()) == [0, 1, 2, 3]


def test_without_embeddings_the_rule_goes_on_without_diversity() -> None:
    answers = np.random.default_rng(0).dirichlet(np.ones(3), 50).astype(np.float32)
    found = select(Pool(50, from_array(answers)), rule(DEFAULT), 10, np.arange(50), seed=0)
    assert "no embeddings" in found.note
    assert len(found.rows) == 10


def test_balance_deals_out_over_the_students_labels() -> None:
    assert balanced(np.array([0, 0, 0, 1, 2, 1])).tolist() == [0, 3, 4, 1, 5, 2]
    answers = np.tile(np.array([[0.6, 0.3, 0.1]], np.float32), (60, 1))
    answers[40:50] = [0.1, 0.8, 0.1]
    answers[50:] = [0.05, 0.05, 0.9]
    pool = Pool(60, from_array(answers))
    found = select(pool, rule("margin-balanced"), 9, np.arange(60), 0)
    assert sorted(answers[found.rows].argmax(axis=1).tolist()) == [0, 0, 0, 1, 1, 1, 2, 2, 2]


def test_equal_texts_are_eligible_once() -> None:
    assert distinct(["a", "b", "a", "c", "b"], np.array([4, 2, 0, 3])).tolist() == [4, 2, 3]


def test_wrong_input_is_refused() -> None:
    with pytest.raises(ValueError, match="eligible rows"):
        select(toy_pool(10), rule("margin"), 3, np.array([3, 10]), 0)
    with pytest.raises(ValueError, match="random share"):
        Rule("r", Margin(), random_share=1.2)
    with pytest.raises(ValueError, match="known: random"):
        rule("margins")
    with pytest.raises(ValueError, match="vectors"):
        Pool(3, embeddings=np.zeros((2, 4), np.float32))


@pytest.mark.parametrize("name", ["margin-k-means", "margin-clusters", "margin-cover"])
def test_a_large_pool_is_read_in_blocks_from_disk(tmp_path: Path, name: str) -> None:
    rows, width = 5 * BLOCK, 24
    path = tmp_path / "vectors.npy"
    random = np.random.default_rng(0)
    np.save(path, random.normal(size=(rows, width)).astype(np.float16))
    vectors = np.load(path, mmap_mode="r")
    weights = random.normal(size=(width, 5)).astype(np.float32)
    largest: list[int] = []

    def student(part: FloatArray) -> FloatArray:
        largest.append(len(part))
        powers = np.exp(part @ weights)
        return powers / powers.sum(axis=1, keepdims=True)

    pool = Pool(rows, from_vectors(vectors, student), embeddings=vectors)
    tracemalloc.start()
    found = select(pool, rule(name), 700, np.arange(rows), seed=0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(found.rows) == 700
    assert max(largest) <= BLOCK
    assert sum(largest) <= 2 * rows
    assert peak < 120 * 2**20


def test_eligible_rows_may_come_in_any_order_and_twice() -> None:
    pool, rows = toy_pool(30), np.array([5, 3, 3, 9, 5])
    chosen: IntArray = select(pool, rule("margin"), 10, rows, 0).rows
    assert sorted(chosen.tolist()) == [3, 5, 9]
