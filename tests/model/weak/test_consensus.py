"""The consensus of several people: the specification's vector, and votes that reliability overrules."""

from __future__ import annotations

import numpy as np
import pytest

from model.weak.consensus import NONE, confusions, dawid_skene, vote_shares

VOTES = np.array([[0, 0, 1], [1, 1, 1], [0, 1, 1], [0, 0, 0]])


def test_one_round_by_hand() -> None:
    shares = vote_shares(VOTES, 2)
    assert shares[:, 0] == pytest.approx([2 / 3, 0, 1 / 3, 1])
    assert confusions(VOTES, shares)[0] == pytest.approx(np.array([[5 / 6, 1 / 6], [1 / 3, 2 / 3]]))
    assert dawid_skene(VOTES, 2, rounds=1)[:, 0] == pytest.approx([0.777778, 0.027778, 0.222222, 0.972222], abs=1e-5)


def test_reliable_people_settle_ties_and_outvote_careless_ones() -> None:
    draw = np.random.default_rng(0)
    truth, right = draw.integers(0, 4, 600), (0.95, 0.9, 0.5, 0.4)
    votes = np.stack([np.where(draw.random(600) < one, truth, draw.integers(0, 4, 600)) for one in right], axis=1)
    votes[np.arange(600), draw.integers(0, 4, 600)] = NONE  # three people a task
    plain = vote_shares(votes, 4)
    found = dawid_skene(votes, 4)
    assert (found.argmax(1) == truth).mean() > (plain.argmax(1) == truth).mean() + 0.03
    assert found.sum(1) == pytest.approx(1.0)
    assert dawid_skene(votes[:, ::-1], 4) == pytest.approx(found)
