"""The targets of the method `shortlist`: everything that is known about every row, in one distribution."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from model.arrays import BoolArray, FloatArray, Stop
from model.training.data import TrainingData
from model.training.options import TrainingOptions
from model.weak.chunks import Shares, normalised, pieces
from model.weak.neighbours import Agreement, pooled
from model.weak.posterior import PRIOR_STRENGTH, teacher_posterior
from model.weak.representative import representative
from model.weak.space import Space
from model.weak.strengths import Strengths, strengths
from model.weak.supervised import Weights, joined
from model.weak.transition import Correction, corrected

GAMMA = 0.5  # sharpening of the final targets


@dataclass(frozen=True)
class Beliefs:
    """`shares` float16 `(n, C)`: the distribution of every row; people's labels one-hot, narrowed sets restricted."""

    shares: Shares
    strengths: Strengths
    agreement: Agreement
    correction: Correction
    weights: Weights
    representative: bool

    def to_json(self) -> dict[str, object]:
        """What was found, for the report."""
        return {
            "strengths": asdict(self.strengths),
            "agreement": asdict(self.agreement),
            "correction": asdict(self.correction),
            "weights": asdict(self.weights),
            "human_labels_representative": self.representative,
        }


@dataclass(frozen=True)
class Adapted:
    """Vectors `(n, d)` of an encoder that has learned from people's labels of the rows marked in `seen` `(n,)`."""

    vectors: FloatArray
    seen: BoolArray


def beliefs(
    data: TrainingData,
    vectors: FloatArray,
    options: TrainingOptions,
    stop: Stop | None = None,
    adapted: Adapted | None = None,
) -> Beliefs:
    """Teacher's posterior, pooled with similar texts, corrected by human labels, pooled with what these teach alone.

    `vectors` are of an encoder that knows no label; those of an `adapted` one serve only what people's labels teach.
    How the teacher errs, and how much it counts, is learned where it and people answered the same tasks: what would be
    believed of a task that the teacher never saw says nothing about its answers.
    """
    decided = data.decided
    labels = data.candidates.argmax(1).astype(np.int64)
    posterior = teacher_posterior(data)
    rows = np.flatnonzero(decided)
    both = rows[data.teacher_sets[rows].any(1)]  # people and the teacher
    known = both if len(both) else rows
    fair = representative(posterior, known, labels[known])
    if decided.all():  # nothing is left to be weighed
        return Beliefs(respected(posterior, data), Strengths(), Agreement(), Correction(False, 0), Weights(), fair)
    if not fair:  # people's labels stay what they are, but say nothing about the other tasks
        rows, both = rows[:0], both[:0]
    space = Space(vectors, stop)
    chosen = strengths(data, space, both, labels[both])
    if chosen.prior != PRIOR_STRENGTH:
        posterior = teacher_posterior(data, chosen.prior)
    believed, agreement = pooled(posterior, space, decided, labels, trust=chosen.trust)
    believed, correction, unseen = corrected(believed, posterior, vectors, data.first, both, labels[both])
    left_out = np.zeros((len(rows), believed.shape[1]))
    judges = np.isin(rows, both)
    left_out[judges] = unseen
    inputs = vectors if adapted is None else adapted.vectors
    given = ~judges if adapted is None else ~judges | adapted.seen[rows]
    believed, weights = joined(believed, left_out, inputs, rows, labels[rows], options, stop, given)
    return Beliefs(respected(sharpened(believed), data), chosen, agreement, correction, weights, fair)


def sharpened(believed: Shares, gamma: float = GAMMA) -> Shares:
    """Beliefs to the power 1 / gamma, re-normalised: the likeliest label stays, new texts are answered better."""
    for piece in pieces(len(believed)):
        believed[piece] = normalised(believed[piece].astype(np.float64) ** (1.0 / gamma))
    return believed


def respected(believed: Shares, data: TrainingData) -> Shares:
    """Beliefs with what people decided: nothing outside their label or narrowed set."""
    for piece in pieces(len(believed)):
        human = np.flatnonzero(data.human[piece])
        inside = np.where(data.candidates[piece][human], believed[piece][human].astype(np.float64) + 1e-6, 0.0)
        part = believed[piece]
        part[human] = normalised(inside)
        believed[piece] = part
    return believed
