"""What people's labels alone teach: cross-fitted heads on the labelled rows, pooled with the beliefs of all rows.

With few labels the teacher knows more, with many a student of people does; how much each counts is chosen by the
likelihood of human labels that neither has seen, so the teacher fades as labels grow.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch

from model.arrays import BoolArray, FloatArray, Stop, softmax
from model.student.head import head_logits
from model.text_groups import folds
from model.training.head_training import HeadLearner, batch_rows
from model.training.loop import Plan, train
from model.training.options import TrainingOptions
from model.training.targets import FixedTargets
from model.weak.chunks import Dense, Shares, pieces, softened
from model.weak.judges import Known, beyond_chance, weighted_mean

LEAST_LABELS = 20
LEAST_JUDGES = 20  # labels that neither expert has seen, below which nothing is pooled
DOUBT = 50.0  # labels at which heads that are right less often must gain twice as much as chance
FOLDS = 5
TEMPERATURES = (1.0, 1.5, 2.0, 3.0, 5.0)  # heads on few labels are far surer than right
FLOOR = 1e-3  # keeps one expert's certainty from silencing the other


@dataclass(frozen=True)
class Weights:
    """Exponents of the two experts in the pool: the beliefs, and the heads trained on people's labels alone."""

    believed: float = 1.0
    supervised: float = 0.0


CHOICES = tuple(Weights(*pair) for pair in ((1, 0), (1, 0.5), (1, 1), (0.5, 0.5), (0.5, 1), (0, 1)))  # first: default


@dataclass(frozen=True)
class Heads:
    """Heads on people's labels alone: what they say of all rows, and of each of the k known rows where they have not
    seen its text; `judges` `(k,)` are the known rows that may judge them."""

    said: Shares
    unseen: Dense
    judges: BoolArray
    estimated: bool = False  # `unseen` is so on the mean, and no head's answer to a single label


def heads_alone(
    vectors: FloatArray,
    known: Known,
    num_labels: int,
    options: TrainingOptions,
    stop: Stop | None = None,
    seen: BoolArray | None = None,
) -> Heads | None:
    """A head per fold of texts, on `vectors` `(n, d)` of all rows.

    `seen` `(k,)` marks labels from which the encoder behind the vectors has learned, and such that no other expert may
    be judged by: all heads learn them, and nothing is judged by their twins. None with fewer than 20 labels, fewer than
    20 that can judge, or a single one.
    """
    seen = np.zeros(len(known), np.bool_) if seen is None else np.isin(known.groups, known.groups[seen])
    if len(known) < LEAST_LABELS or (~seen).sum() < LEAST_JUDGES or len(np.unique(known.labels)) < 2:
        return None
    heads, unseen = _cross_fitted(vectors, known, num_labels, seen, options, stop)
    said = np.empty((len(vectors), num_labels), np.float16)
    for piece in pieces(len(vectors), stop):
        part = np.asarray(vectors[piece], np.float32)
        said[piece] = np.mean([softmax(head_logits(head, part)) for head in heads], axis=0)
    return Heads(said, unseen, ~seen)


def _cross_fitted(
    vectors: FloatArray,
    known: Known,
    num_labels: int,
    given: BoolArray,
    options: TrainingOptions,
    stop: Stop | None,
) -> tuple[list[dict[str, FloatArray]], Dense]:
    """A head per fold, and for every labelled row the answer of the head that has not seen it; all see `given` rows."""
    mine = np.asarray(vectors[known.rows], np.float32)
    fold_of = folds(known.groups, FOLDS, options.seed)
    fold_of[given] = -1
    seen = [np.flatnonzero(fold_of != fold) for fold in range(FOLDS)]
    least, seeds = min(map(len, seen)), tuple(options.seed + fold for fold in range(FOLDS))
    parts = tuple(map(torch.from_numpy, seen))
    plan = Plan(options.epochs or 40, batch_rows(least), seeds, parts)
    steps = plan.epochs * math.ceil(least / plan.batch)
    learner = HeadLearner(mine, num_labels, options, steps, seeds, like=vectors)
    train(learner, FixedTargets(torch.from_numpy(known.labels), num_labels), plan, None, stop)
    heads, unseen = learner.weights(), np.zeros((len(known), num_labels))
    for fold, head in enumerate(heads):
        held = fold_of == fold
        unseen[held] = softmax(head_logits(head, mine[held]))
    return heads, unseen


def joined(believed: Shares, left_out: Dense, heads: Heads, known: Known) -> tuple[Shares, Dense, Weights]:
    """Beliefs `(n, C)` pooled with the heads, and `left_out` `(k, C)`, the beliefs without each row's own text, alike.

    The heads' answers are cooled first. The exponents have the highest likelihood; the beliefs alone unless it rises by
    more than chance lets it seem, which estimated answers do not tell.
    """
    if heads.estimated:
        return believed, left_out, Weights()
    mine = heads.judges
    cooled = 1.0 / _temperature(heads.unseen[mine], known.of(mine))
    unseen = _pool(left_out, heads.unseen, Weights(0.0, cooled))
    weights = _weights(left_out[mine], unseen[mine], known.of(mine))
    if weights.supervised <= 0:
        return believed, left_out, weights
    result = np.empty_like(believed)
    for piece in pieces(len(believed)):
        own, said = believed[piece].astype(np.float64), heads.said[piece].astype(np.float64)
        result[piece] = _pool(own, _pool(own, said, Weights(0.0, cooled)), weights)
    return result, _pool(left_out, unseen, weights), weights


def _temperature(unseen: Dense, known: Known) -> float:
    """By which the heads' answers to labels that they have not seen are likeliest."""

    def likelihood(temperature: float) -> float:
        shares = _pool(unseen, unseen, Weights(0.0, 1.0 / temperature))
        return weighted_mean(np.log(shares[np.arange(len(known)), known.labels] + 1e-9), known.weights)[0]

    return max(TEMPERATURES, key=likelihood)


def _weights(believed: Dense, supervised: Dense, known: Known) -> Weights:
    def likelihoods(weights: Weights) -> Dense:
        shares = _pool(believed, supervised, weights)
        return np.asarray(np.log(shares[np.arange(len(known)), known.labels] + 1e-9), np.float64)

    found = {weights: likelihoods(weights) for weights in CHOICES}
    best = max(found, key=lambda weights: weighted_mean(found[weights], known.weights)[0])
    default = CHOICES[0]
    right = [weighted_mean(said.argmax(1) == known.labels, known.weights)[0] for said in (believed, supervised)]
    doubt = DOUBT if right[1] < right[0] else 0.0
    return best if beyond_chance(found[best] - found[default], len(CHOICES), known.weights, doubt) else default


def _pool(believed: Dense, supervised: Dense, weights: Weights) -> Dense:
    return softened(
        weights.believed * np.log(np.maximum(believed, FLOOR))
        + weights.supervised * np.log(np.maximum(supervised, FLOOR))
    )
