"""What people's labels alone teach: cross-fitted heads on the labelled rows, pooled with the beliefs of all rows.

With few labels the teacher knows more, with many a student of people does; how much each counts is chosen by the
likelihood of human labels that neither has seen, so the teacher fades as labels grow.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
import torch

from model.arrays import BoolArray, FloatArray, IntArray, Stop, softmax
from model.student.head import head_logits
from model.training.head_training import HeadLearner, batch_rows
from model.training.loop import Plan, train
from model.training.options import TrainingOptions
from model.training.targets import FixedTargets
from model.weak.chunks import Dense, Shares, pieces, softened

LEAST_LABELS = 40
LEAST_JUDGES = 20  # labels that neither expert has seen, below which nothing is pooled
FOLDS = 3
BELIEVED = (0.0, 0.25, 0.5, 1.0)
SUPERVISED = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5)
FLOOR = 1e-3  # keeps one expert's certainty from silencing the other


@dataclass(frozen=True)
class Weights:
    """Exponents of the two experts in the pool: the beliefs, and the heads trained on people's labels alone."""

    believed: float = 1.0
    supervised: float = 0.0


def joined(
    believed: Shares,
    left_out: Dense,
    vectors: FloatArray,
    rows: IntArray,
    labels: IntArray,
    options: TrainingOptions,
    stop: Stop | None = None,
    seen: BoolArray | None = None,
) -> tuple[Shares, Weights]:
    """Beliefs `(n, C)` pooled with supervised heads; `left_out` `(k, C)` are the beliefs without each row's own label.

    `seen` `(k,)` marks labels from which the encoder behind `vectors` has learned: they cannot judge it. Unchanged
    with fewer than 40 labels, fewer than 20 that can judge, or a single one.
    """
    seen = np.zeros(len(rows), np.bool_) if seen is None else seen
    if len(rows) < LEAST_LABELS or (~seen).sum() < LEAST_JUDGES or len(np.unique(labels)) < 2:
        return believed, Weights()
    known = np.asarray(vectors[rows], np.float32)
    heads, unseen = _cross_fitted(known, labels, believed.shape[1], seen, options, stop)
    weights = _weights(left_out[~seen], unseen[~seen], labels[~seen])
    if weights.supervised <= 0:
        return believed, Weights()
    result = np.empty_like(believed)
    for piece in pieces(len(believed)):
        part = np.asarray(vectors[piece], np.float32)
        said = np.stack([softmax(head_logits(head, part)) for head in heads]).mean(0, dtype=np.float64)
        result[piece] = _pool(believed[piece].astype(np.float64), said, weights)
    return result, weights


def _cross_fitted(
    vectors: FloatArray,
    labels: IntArray,
    num_labels: int,
    given: BoolArray,
    options: TrainingOptions,
    stop: Stop | None,
) -> tuple[list[dict[str, FloatArray]], Dense]:
    """A head per fold, and for every labelled row the answer of the head that has not seen it; all see `given` rows."""
    fold_of = np.random.default_rng(options.seed).permutation(len(labels)) % FOLDS
    fold_of[given] = -1
    seen = [np.flatnonzero(fold_of != fold) for fold in range(FOLDS)]
    least, seeds = min(map(len, seen)), tuple(options.seed + fold for fold in range(FOLDS))
    parts = tuple(map(torch.from_numpy, seen))
    plan = Plan(options.epochs or 40, batch_rows(least), seeds, parts)
    learner = HeadLearner(vectors, num_labels, options, plan.epochs * math.ceil(least / plan.batch), seeds)
    train(learner, FixedTargets(torch.from_numpy(labels), num_labels), plan, None, stop)
    heads, unseen = learner.weights(), np.zeros((len(labels), num_labels))
    for fold, head in enumerate(heads):
        held = fold_of == fold
        unseen[held] = softmax(head_logits(head, vectors[held]))
    return heads, unseen


def _weights(believed: Dense, supervised: Dense, labels: IntArray) -> Weights:
    """The exponents of the highest likelihood; the beliefs alone unless it rises by more than its standard error."""

    def likelihoods(weights: Weights) -> Dense:
        shares = _pool(believed, supervised, weights)
        return np.asarray(np.log(shares[np.arange(len(labels)), labels] + 1e-9), np.float64)

    alone = likelihoods(Weights())
    pairs = [Weights(one, two) for one, two in itertools.product(BELIEVED, SUPERVISED) if one or two]
    best = max(pairs, key=lambda weights: float(likelihoods(weights).mean()))
    gain = likelihoods(best) - alone
    return best if gain.mean() > gain.std() / math.sqrt(len(labels)) else Weights()


def _pool(believed: Dense, supervised: Dense, weights: Weights) -> Dense:
    return softened(
        weights.believed * np.log(np.maximum(believed, FLOOR))
        + weights.supervised * np.log(np.maximum(supervised, FLOOR))
    )
