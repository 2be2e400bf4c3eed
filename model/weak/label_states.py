"""What a teacher's answer says of each label where several may be right: certain, possible, or absent.

No answer is infallible: a table holds how often a right and a wrong label is in each state (Dawid & Skene, 1979, for
one witness), from a start that assumes a fair teacher, with the counts of people's answers.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from model.arrays import BoolArray
from model.training.data import TrainingData
from model.weak.chunks import Dense

CERTAIN, POSSIBLE, ABSENT = range(3)
START: Dense = np.array([[0.70, 0.25, 0.05], [0.05, 0.20, 0.75]])  # rows: a right label, a wrong one
RELIABLE = 6.0 / 7.0  # share of certain labels that are right, as the start has it where 30 % of labels are right
STRENGTH = 10.0  # what the start, and the common table, weigh beside counts
TINY = 1e-6
States = npt.NDArray[np.int8]


def states(data: TrainingData) -> States:
    """The state of each label of each row, int8 `(n, C)`; ABSENT in rows without a teacher's answer."""
    assert data.sure is not None, "rows of a question of several labels have it"
    return np.where(data.sure, CERTAIN, np.where(data.teacher_sets, POSSIBLE, ABSENT)).astype(np.int8)


def start(found: States) -> tuple[Dense, float]:
    """The table `(2, 3)` before people said anything, and the share of labels that are right.

    START is for label spaces in which many labels are right. Of a long list few are; so certain labels are taken to be
    right as often as there, and how often a wrong label is in a state follows from how often any label is.
    """
    seen = np.array([(found == state).mean() if found.size else 0.0 for state in range(3)])
    share = float(np.clip(RELIABLE * seen[CERTAIN] / START[0, CERTAIN], TINY, 0.5))
    if seen[CERTAIN] == 0.0:
        share = float(np.clip(0.35 * seen[POSSIBLE] / START[0, POSSIBLE], TINY, 0.5))
    wrong = np.minimum(START[1], np.maximum(seen - share * START[0], 0.05 * seen) / (1.0 - share))
    wrong = np.maximum(wrong, TINY)
    wrong[ABSENT] = 1.0 - wrong[:ABSENT].sum()
    return np.stack([START[0], wrong]), share


def learned(before: Dense, found: States, truth: BoolArray) -> Dense:
    """Tables of all labels `(C, 2, 3)` after people's answers `truth` `(k, C)` to rows whose states are `found`.

    Dirichlet counts, first over all labels together, then of each label, drawn towards the common table.
    """
    counts = np.stack(
        [np.stack([((found == state) & side).sum(0) for state in range(3)], 1) for side in (truth, ~truth)], 1
    ).astype(np.float64)
    total = counts.sum(0)
    common = (STRENGTH * before + total) / (STRENGTH + total.sum(1, keepdims=True))
    return np.asarray((STRENGTH * common + counts) / (STRENGTH + counts.sum(2, keepdims=True)), np.float64)


def log_ratios(tables: Dense, found: States, answered: BoolArray) -> Dense:
    """log P(state | right) / P(state | wrong) of each label `(n, C)`; 0 in rows without an answer."""
    ratios = np.log(np.maximum(tables[:, 0], TINY)) - np.log(np.maximum(tables[:, 1], TINY))
    columns = np.arange(found.shape[1])
    return np.asarray(np.where(answered[:, None], ratios[columns, found], 0.0), np.float64)


def expected(prior: Dense, ratios: Dense) -> Dense:
    """P(label right | its state), with the probability `prior` that it had before: sigma(logit prior + ratio)."""
    return sigmoid(logit(prior) + ratios)


def sigmoid(values: Dense) -> Dense:
    """1 / (1 + exp(-x)), without overflow."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * values)), np.float64)


def logit(shares: Dense) -> Dense:
    """log p / (1 - p), of probabilities kept from 0 and 1."""
    kept = np.clip(shares, TINY, 1.0 - TINY)
    return np.asarray(np.log(kept) - np.log1p(-kept), np.float64)
