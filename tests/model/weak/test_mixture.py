"""The mixture of beliefs with what people's labels say alone."""

from __future__ import annotations

import numpy as np

from model.arrays import IntArray
from model.weak.chunks import Dense
from model.weak.judges import Known
from model.weak.mixture import Mixture, mixed, weights
from model.weak.supervised import Heads


def sure(labels: IntArray, of: int) -> Dense:
    return np.asarray(0.7 * np.eye(of)[labels] + 0.3 / of)


def test_a_teacher_that_misreads_the_commonest_label_gives_way_to_it_and_a_right_one_stays() -> None:
    truth = np.where(np.arange(200) % 10 < 8, 0, 1)
    rows = np.arange(20)
    known = Known(rows, truth[:20], rows, np.ones(20))
    flat = np.full((200, 2), 0.5)
    heads = Heads(flat.astype(np.float16), flat[:20], np.ones(20, np.bool_))
    wrong, right = sure(np.where(np.arange(200) % 5 < 4, 1 - truth, truth), 2), sure(truth, 2)
    after, left_out, found = mixed(wrong.astype(np.float16), wrong[:20], heads, known)
    assert found.frequencies > 0.3
    assert (after.argmax(1) == truth).mean() > (wrong.argmax(1) == truth).mean() + 0.3
    np.testing.assert_allclose(left_out.sum(1), 1, atol=1e-3)
    after, _, found = mixed(right.astype(np.float16), right[:20], heads, known)
    assert found.believed > 0.6
    assert (after.argmax(1) == truth).all()


def test_shares_are_the_likeliest_once_labels_are_many_and_without_heads_nothing_is_mixed() -> None:
    random = np.random.default_rng(0)
    truth, rows = random.integers(2, size=4000), np.arange(4000)
    other = sure(np.where(random.random(4000) < 0.7, truth, 1 - truth), 2)
    flat = np.full((4000, 2), 0.5)
    shares = weights([flat, other, flat], Known(rows, truth, rows, np.ones(4000)))
    likely = [np.log((1 - share) * 0.5 + share * other[rows, truth]).sum() for share in np.linspace(0, 1, 101)]
    assert abs(shares[1] - np.argmax(likely) / 100) < 0.04
    believed = flat.astype(np.float16)
    same, left_out, found = mixed(believed, flat, None, Known(rows, truth, rows, np.ones(4000)))
    assert same is believed
    assert left_out is flat
    assert found == Mixture()
    chosen = Known(rows[:20], truth[:20], rows[:20], np.linspace(0.5, 1.5, 20))
    heads = Heads(believed, flat[:20], np.ones(20, np.bool_))
    assert mixed(believed, flat[:20], heads, chosen)[2] == Mixture()
