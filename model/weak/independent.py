"""Beliefs where several labels may be right: a probability of each label of each row, from all that is known of it.

What a teacher's answer says of a label (its state, see `label_states`), what similar texts say of it, and what people's
answers alone teach, add up as evidence does: log odds, each with a weight that rows which it has not seen have chosen
(`evidence`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.arrays import BoolArray, FloatArray, IntArray, Stop
from model.training.data import TrainingData
from model.weak.chunks import Dense, Shares, pieces
from model.weak.evidence import Evidence, folds_of, parts, plain, weighed
from model.weak.label_states import (
    START,
    STRENGTH,
    expected,
    learned,
    log_ratios,
    logit,
    sigmoid,
    start,
    states,
)
from model.weak.space import Space

PENALTIES = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
SLOPES = (0.5, 0.75, 1.0, 1.5, 2.0)  # of the log odds of left-out predictions
ROUNDS = 2  # of similar texts, after the teacher's states alone
LEAST_LABELS = 20  # people's answers below which they teach nothing by themselves
MOST_LABELS = 2_000  # of them that do: the time grows with their square
TINY = 1e-3


@dataclass(frozen=True)
class LabelBeliefs:
    """`shares` float16 `(n, C)`: the probability of each label; people's answers are 0 and 1, exactly."""

    shares: Shares
    tables: Dense  # (C, 2, 3), see label_states
    explained: float  # share of the teacher's variance that similar texts explain
    evidence: Evidence

    def to_json(self) -> dict[str, object]:
        """What was found, for the report."""
        states = self.tables.mean(0).round(4).tolist()
        return {"explained": self.explained, "weights": self.evidence.to_json(), "states": states}


def label_beliefs(data: TrainingData, vectors: FloatArray, stop: Stop | None = None) -> LabelBeliefs:
    """Beliefs of all rows; `vectors` `(n, d)` are of an encoder that knows no label.

    What would be believed of a decided row never uses that row's own answer, so that these rows can choose the weights.
    """
    assert data.answered is not None, "rows of a question of several labels have it"
    decided, truth, found = data.decided, data.candidates, states(data)
    both = decided & data.answered
    if decided.all():  # nothing is left to be weighed
        tables = learned(START, found[both], truth[both])
        return LabelBeliefs(_respected(truth.astype(np.float64), data), tables, 0.0, plain(truth.shape[1]))
    table, share = start(found[data.answered]) if data.answered.any() else (START, _share(truth[decided]))
    tables = learned(table, found[both], truth[both])
    ratios = log_ratios(tables, found, data.answered)
    rate = _rates(ratios, data, decided, truth, share)
    prior = np.broadcast_to(rate, ratios.shape)
    space, explained = Space(vectors, stop), 0.0
    for _ in range(ROUNDS):
        targets = np.where(decided[:, None], truth, expected(prior, ratios))
        prior, explained = _similar(space, targets, rate)
    believed, evidence = _joined(data, vectors, (rate, prior, ratios), table)
    return LabelBeliefs(_respected(sigmoid(believed), data), tables, explained, evidence)


def _share(truth: BoolArray) -> float:
    return float(np.clip(truth.mean() if truth.size else 0.1, 0.01, 0.5))


def _rates(ratios: Dense, data: TrainingData, decided: BoolArray, truth: BoolArray, share: float) -> Dense:
    """How often each label is right `(C,)`, by a few rounds of expectation and mean."""
    assert data.answered is not None
    known = data.answered | decided
    rate = np.full(ratios.shape[1], share)
    for _ in range(5):
        believed = np.where(decided[:, None], truth, expected(np.broadcast_to(rate, ratios.shape), ratios))[known]
        rate = (believed.sum(0) + STRENGTH * share) / (len(believed) + STRENGTH)
    return np.clip(rate, 1e-4, 0.9)


def _similar(space: Space, targets: Dense, rate: Dense) -> tuple[Dense, float]:
    """What similar texts say of each label `(n, C)`, each row from all others, and the variance they explain.

    Ridge regression on embeddings in closed form; the penalty and the slope of the log odds have the least left-out
    loss.
    """
    centre = targets.mean(0)
    wanted = (targets - centre).astype(np.float32)
    cross = sum((space.products(piece, wanted[piece]) for piece in pieces(len(space), space.stop)), np.zeros(1))
    best, left_out = np.inf, targets
    for penalty in PENALTIES:
        inverse = (1.0 / (space.values + penalty)).astype(np.float32)
        parts = []
        for piece in pieces(len(space), space.stop):
            axes = space.states(piece)
            leverage = np.minimum(axes**2 @ inverse, 0.999)[:, None]
            fitted = axes @ (inverse[:, None] * cross).astype(np.float32)
            parts.append((fitted - leverage * wanted[piece]) / (1.0 - leverage))
        residual = np.concatenate(parts)
        error = float(((residual - wanted) ** 2).sum())
        if error < best:
            best, left_out = error, residual + centre
    explained = max(0.0, 1.0 - best / max(float((wanted**2).sum()), 1e-12))
    return _odds(left_out, targets, rate), explained


def _odds(scores: Dense, targets: Dense, rate: Dense) -> Dense:
    """Left-out predictions as probabilities: their log odds against the label's rate, with the slope that fits best."""
    kept = np.clip(scores, np.maximum(rate * 0.02, 1e-5), 0.999)
    base, moved = logit(rate), logit(kept) - logit(rate)
    best = min(SLOPES, key=lambda slope: _loss(sigmoid(base + slope * moved), targets))
    return sigmoid(base + best * moved)


def _loss(shares: Dense, targets: Dense) -> float:
    kept = np.clip(shares, TINY, 1.0 - TINY)
    return float(-(targets * np.log(kept) + (1.0 - targets) * np.log1p(-kept)).sum())


def _joined(
    data: TrainingData, vectors: FloatArray, said: tuple[Dense, Dense, Dense], table: Dense
) -> tuple[Dense, Evidence]:
    """Log odds of all rows, of the labels' rate `(C,)`, their prior by similar texts and the teacher's ratios `(n, C)`,
    joined with what people's answers teach alone; as they are where these answers are few."""
    rate, prior, ratios = said
    base = logit(rate)
    similar = logit(prior) - base
    rows = np.flatnonzero(data.decided)[-MOST_LABELS:]
    if len(rows) < LEAST_LABELS:
        return base + similar + ratios, plain(len(rate))
    truth, fold_of = data.candidates[rows], folds_of(len(rows))
    left_out, everywhere = _supervised(vectors, rows, truth.astype(np.float64), rate)
    teacher = _unseen_ratios(data, rows, fold_of, table)
    known = np.stack([np.broadcast_to(base, teacher.shape), similar[rows], teacher, left_out], 2)
    evidence = weighed(known, truth, fold_of)
    weights = evidence.weights
    return weights[0] * base + weights[1] * similar + weights[2] * ratios + weights[3] * everywhere, evidence


def _unseen_ratios(data: TrainingData, rows: IntArray, fold_of: IntArray, table: Dense) -> Dense:
    """The teacher's ratios of people's rows `(k, C)`, by tables that have not counted the answers of their fold."""
    assert data.answered is not None
    found, truth, answered = states(data)[rows], data.candidates[rows], data.answered[rows]
    ratios = np.zeros(truth.shape)
    for kept, held in parts(fold_of):
        seen = kept[answered[kept]]
        ratios[held] = log_ratios(learned(table, found[seen], truth[seen]), found[held], answered[held])
    return ratios


def _supervised(vectors: FloatArray, rows: IntArray, answers: Dense, rate: Dense) -> tuple[Dense, Dense]:
    """Log odds against the labels' rates that a ridge regression on people's answers gives.

    Of their rows `(k, C)`, each without itself, and of all rows `(n, C)`.
    """
    known = np.asarray(vectors[rows], np.float64)
    middle, centre = known.mean(0), answers.mean(0)
    gram = (known - middle) @ (known - middle).T
    values, basis = np.linalg.eigh(gram)
    best: tuple[float, Dense, Dense] | None = None
    for penalty in PENALTIES:
        inverse = (basis / (np.maximum(values, 0.0) + penalty)) @ basis.T
        dual = inverse @ (answers - centre)
        left_out = answers - dual / np.diag(inverse)[:, None]  # of kernel ridge regression, in closed form
        error = float(((left_out - answers) ** 2).sum())
        if best is None or error < best[0]:
            best = (error, left_out, dual)
    assert best is not None
    weights = (known - middle).T @ best[2]
    everywhere = np.concatenate(
        [(vectors[piece].astype(np.float64) - middle) @ weights + centre for piece in pieces(len(vectors))]
    )
    low, base = np.maximum(rate * 0.02, 1e-5), logit(rate)
    kept = [logit(np.clip(scores, low, 0.999)) - base for scores in (best[1], everywhere)]
    return kept[0], kept[1]


def _respected(believed: Dense, data: TrainingData) -> Shares:
    """Beliefs with what people said: 1 for what is certain, 0 for what is not possible."""
    assert data.certain is not None
    human = data.human[:, None]
    believed = np.where(human & data.certain, 1.0, np.where(human & ~data.candidates, 0.0, believed))
    return believed.astype(np.float16)
