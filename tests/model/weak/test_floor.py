"""The floor: a rival that people's labels prefer beyond noise takes the place of what was believed."""

from __future__ import annotations

import numpy as np
import pytest

from model.weak.chunks import Shares
from model.weak.floor import floored
from model.weak.judges import Known
from model.weak.supervised import Heads

ROWS, K = 200, 60
TRUTH = np.random.default_rng(0).choice(3, ROWS, p=[0.7, 0.2, 0.1])
KNOWN = Known(np.arange(K), TRUTH[:K], np.arange(K), np.ones(K))
RIGHT: Shares = np.eye(3)[TRUTH].astype(np.float16)
WRONG: Shares = np.eye(3)[(TRUTH + 1) % 3].astype(np.float16)
MIXED: Shares = np.where(np.arange(ROWS)[:, None] % 5 < 4, RIGHT, WRONG)  # right in four of five rows


def heads(said: Shares) -> Heads:
    return Heads(said, said[:K].astype(np.float64), np.ones(K, np.bool_))


@pytest.mark.parametrize(
    ("teacher", "alone", "chosen"),
    [
        (WRONG, RIGHT, "people alone"),
        (RIGHT, WRONG, "teacher alone"),
        (WRONG, WRONG, "commonest label"),
    ],
)
def test_the_best_rival_is_taken(teacher: Shares, alone: Shares, chosen: str) -> None:
    found, floor = floored(WRONG, WRONG[:K].astype(np.float64), teacher, heads(alone), KNOWN)
    assert (floor.chosen, floor.labels) == (chosen, K)
    assert floor.right is not None
    assert floor.right["beliefs"] == 0
    common = float((TRUTH[K:] == 0).mean())
    assert (found[K:].argmax(1) == TRUTH[K:]).mean() == pytest.approx(common if chosen == "commonest label" else 1.0)


def test_noise_and_few_labels_change_nothing() -> None:
    worse = MIXED.copy()
    worse[3] = np.roll(worse[3], 1)
    found, floor = floored(worse, worse[:K].astype(np.float64), MIXED, heads(MIXED), KNOWN)
    assert (found is worse, floor.chosen) == (True, "beliefs")
    few = Known(np.arange(10), TRUTH[:10], np.arange(10), np.ones(10))
    some = Heads(RIGHT, RIGHT[:10].astype(np.float64), np.ones(10, np.bool_))
    assert floored(WRONG, WRONG[:10].astype(np.float64), RIGHT, some, few)[0] is WRONG
    assert floored(WRONG, WRONG[:K].astype(np.float64), RIGHT, None, KNOWN)[0] is WRONG
