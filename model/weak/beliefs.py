"""The targets of the method `shortlist`: everything that is known about every row, in one distribution."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

import numpy as np

from model.arrays import FloatArray, Stop
from model.pairs import Pair
from model.text_groups import text_groups
from model.training.data import TrainingData
from model.training.options import TrainingOptions
from model.weak.chunks import Dense, Shares, normalised, pieces
from model.weak.floor import Floor, floored
from model.weak.judges import Known
from model.weak.mixture import Mixture, mixed
from model.weak.neighbours import Agreement, pooled
from model.weak.own_heads import Adapted, OwnEncoder, people_heads
from model.weak.posterior import EVEN_STRENGTH, teacher_posterior
from model.weak.prior import Prior, weighed
from model.weak.representative import Likeness
from model.weak.space import Space
from model.weak.standing import standing
from model.weak.strengths import Strengths, strengths
from model.weak.supervised import Weights, joined
from model.weak.transition import Correction, corrected

GAMMA = 0.5  # sharpening of the final targets


@dataclass(frozen=True)
class Beliefs:
    """`shares` float16 `(n, C)`: the distribution of every row; people's labels one-hot, narrowed sets restricted."""

    shares: Shares
    strengths: Strengths = field(default_factory=Strengths)
    agreement: Agreement = field(default_factory=Agreement)
    correction: Correction = field(default_factory=lambda: Correction(False, 0))
    weights: Weights = field(default_factory=Weights)
    mixture: Mixture = field(default_factory=Mixture)
    floor: Floor = field(default_factory=Floor)
    like: Likeness = field(default_factory=lambda: Likeness(0))
    prior: Prior = field(default_factory=Prior)
    set_aside: str = ""
    own_encoder: OwnEncoder | None = None  # None where there is none

    @property
    def representative(self) -> bool:
        """Whether people's labels were taken for a sample of the pool where nobody knows how they came about."""
        return self.like.fair

    def to_json(self) -> dict[str, object]:
        """What was found, for the report."""
        return {
            "strengths": asdict(self.strengths),
            "agreement": asdict(self.agreement),
            "correction": asdict(self.correction),
            "weights": asdict(self.weights),
            "mixture": asdict(self.mixture),
            "floor": asdict(self.floor),
            "prior": self.prior.to_json(),
            "human_labels_representative": self.representative,
            "likeness": self.like.to_json(),
            "set_aside": self.set_aside,
        } | ({} if self.own_encoder is None else {"own_encoder": asdict(self.own_encoder)})


def beliefs(
    data: TrainingData,
    vectors: FloatArray,
    options: TrainingOptions,
    stop: Stop | None = None,
    adapted: Adapted | None = None,
) -> Beliefs:
    """Teacher's posterior, pooled with similar texts, corrected by human labels, pooled with what these teach alone.

    `vectors` are of an encoder that knows no label; those of an `adapted` one serve only what people's labels teach,
    and that only if it is worth it.
    How the teacher errs, and how much it counts, is learned where it and people answered the same tasks: what would be
    believed of a task that the teacher never saw says nothing about its answers.
    """
    posterior = teacher_posterior(data)
    if data.decided.all():  # nothing is left to be weighed
        return Beliefs(respected(posterior, data))
    decided, answered = decided_rows(data, vectors, options.pair), np.flatnonzero(data.first >= 0)
    space, groups = Space(vectors, stop), text_groups(data.texts, None, options.pair)
    plain, agreement = pooled(posterior, space, groups)
    found = standing(data, decided, answered, plain, vectors, options.seed)
    known, both = found.used, found.used.of(data.first[found.used.rows] >= 0)
    chosen = strengths(posterior, space, groups, both)
    if chosen.trust is not None:
        plain, agreement = pooled(posterior, space, groups, trust=chosen.trust)

    def even() -> Shares:
        return pooled(teacher_posterior(data, EVEN_STRENGTH), space, groups, 2, even=True)[0]

    believed, unseen, prior = weighed(plain, even, found.counts, both, options.seed, options.frequencies == "even")
    believed, correction, unseen = corrected(believed, posterior, vectors, data.first, both, unseen)
    left_out: Dense = np.full((len(known), believed.shape[1]), 1.0 / believed.shape[1])
    judges = np.isin(known.rows, both.rows)
    left_out[judges] = unseen
    others, weights = np.flatnonzero((data.first >= 0) & ~data.human), Weights()
    heads, own = people_heads(believed, left_out, others, (vectors, adapted), known, ~judges, options, stop)
    if heads is not None:
        believed, left_out, weights = joined(believed, left_out, heads, known)
    believed, left_out, mixture = mixed(believed, left_out, heads, known)
    believed, floor = floored(believed, left_out, posterior, heads, known)
    shares = respected(settled(sharpened(believed.copy())), data)
    said = found.sentence()
    return Beliefs(shares, chosen, agreement, correction, weights, mixture, floor, found.like, prior, said, own)


def decided_rows(data: TrainingData, vectors: FloatArray, pair: Pair | None = None) -> Known:
    """The rows that people decided; near-duplicates among them are one group. Features of two texts tell no duplicates:
    there only what reads the same is one."""
    rows = np.flatnonzero(data.decided)
    labels = data.candidates[rows].argmax(1).astype(np.int64)
    near = np.asarray(vectors[rows], np.float32) if pair is None else None
    groups = text_groups([data.texts[row] for row in rows], near, pair)
    return Known(rows, labels, groups, np.ones(len(rows)))


def sharpened(believed: Shares, gamma: float = GAMMA) -> Shares:
    """Beliefs to the power 1 / gamma, re-normalised: the likeliest label stays, new texts are answered better."""
    for piece in pieces(len(believed)):
        believed[piece] = normalised(believed[piece].astype(np.float64) ** (1.0 / gamma))
    return believed


def settled(believed: Shares) -> Shares:
    """Half of each row's mass goes to its likeliest label: a head that learns near ties softly answers them anyhow."""
    for piece in pieces(len(believed)):
        part = believed[piece].astype(np.float64)
        part *= 0.5
        part[np.arange(len(part)), believed[piece].argmax(1)] += 0.5
        believed[piece] = part
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
