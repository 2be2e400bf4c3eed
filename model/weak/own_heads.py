"""What people's labels teach by the vectors of an encoder that has learned these labels itself.

Where it has left enough labels unseen, they judge what heads on its vectors say. A few dozen labels are too few for
that: it learns all of them, and the teacher judges, whose answers it has never seen. Heads on its vectors and on
those of the unchanged encoder answer the tasks that nobody labelled; the one that agrees more often with what is
believed of them is right more often. If their mistakes fall on other labels by chance, of which there are C - 1, they
agree in a * b + (1 - a) (1 - b) / (C - 1) of all answers, a and b being how often each is right (Platanios et al.,
2014, on accuracy from unlabelled data), so that a difference in agreement divided by a - (1 - a) / (C - 1) is one in
being right. Hundreds of tasks tell it, where fifty labels have a noise of seven points.

What its heads would have said of labels that it has learned is then taken to lie between what heads on the unchanged
encoder say, which have not seen the label, and what they say on its own vectors, which have: so far that the labels
are right as much more often (as Efron's .632 estimator, 1983, mixes errors that are too low and too high). That holds
on the mean, so that they take part in the linear mixture only (`mixture.py`), and not in a product of experts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.arrays import BoolArray, FloatArray, IntArray, Stop
from model.training.options import TrainingOptions
from model.weak.chunks import Dense, Shares
from model.weak.judges import Known, weighted_mean
from model.weak.supervised import Heads, heads_alone

CRITICAL = 2.0  # standard errors by which its heads must agree more often
LEAST_SKILL = 0.2  # by how much what is believed must be right more often than by chance, to judge anything
MOST_SEEN = 0.95  # share at most of what was said with the label seen


@dataclass(frozen=True)
class Adapted:
    """Vectors `(n, d)` of an encoder that has learned from people's labels of the rows marked in `seen` `(n,)`."""

    vectors: FloatArray
    seen: BoolArray


@dataclass(frozen=True)
class OwnEncoder:
    """Whether a student should see texts by its own encoder, and what that rests on: how much more often its heads
    agree with what is believed of tasks that nobody labelled, its standard error, and how much more often they are
    therefore right. None of these where labels that the encoder has not seen judge."""

    used: bool = True
    agreement: float | None = None
    error: float | None = None
    gain: float | None = None


def people_heads(
    believed: Shares,
    left_out: Dense,
    others: IntArray,
    views: tuple[FloatArray, Adapted | None],
    known: Known,
    given: BoolArray,
    options: TrainingOptions,
    stop: Stop | None = None,
) -> tuple[Heads | None, OwnEncoder | None]:
    """Heads on the vectors of an adapted encoder if there is one, or on those of the unchanged one if these are not
    clearly better.

    `believed` `(n, C)` rests on neither, `left_out` `(k, C)` are the beliefs of the known rows without the labels of
    their texts; `others` are rows that the teacher answered and nobody labelled; `views` are vectors `(n, d)` of the
    unchanged encoder and what the adapted one sees; `given` `(k,)` marks labels that cannot judge.
    """
    (vectors, adapted), labels = views, believed.shape[1]
    if adapted is None:
        return heads_alone(vectors, known, labels, options, stop, given), None
    heads = heads_alone(adapted.vectors, known, labels, options, stop, given | adapted.seen[known.rows])
    if heads is not None:
        return heads, OwnEncoder()
    plain = heads_alone(vectors, known, labels, options, stop, given)
    own = heads_alone(adapted.vectors, known, labels, options, stop, given)
    if plain is None or own is None:
        return None, OwnEncoder()
    agreement, error = agreeing_more(believed, plain, own, others)
    mine = plain.judges
    skill = above_chance(left_out[mine], known.of(mine))
    if skill < LEAST_SKILL or agreement <= CRITICAL * error:
        return plain, OwnEncoder(False, agreement, error)
    gain = (agreement - error) / skill
    heads = Heads(own.said, between(plain.unseen, own.unseen, gain, known), mine, estimated=True)
    return heads, OwnEncoder(True, agreement, error, gain)


def agreeing_more(believed: Shares, plain: Heads, own: Heads, rows: IntArray) -> tuple[float, float]:
    """How much likelier one answer drawn from the beliefs of these rows is one drawn from `own` heads' than from
    `plain` ones', and its standard error."""
    if len(rows) < 2:
        return 0.0, 0.0
    more = own.said[rows].astype(np.float64) - plain.said[rows].astype(np.float64)
    return weighted_mean((believed[rows].astype(np.float64) * more).sum(1))


def above_chance(said: Dense, known: Known) -> float:
    """a - (1 - a) / (C - 1), with a how often the likeliest label of `(k, C)` is right: 0 by chance, 1 at best."""
    right, _ = weighted_mean(said.argmax(1) == known.labels, known.weights)
    return right - (1.0 - right) / max(1, said.shape[1] - 1)


def between(unseen: Dense, seen: Dense, gain: float, known: Known) -> Dense:
    """Answers `(k, C)` between those without and with the label seen, by which it is likelier by `gain`."""
    rows = np.arange(len(known))
    more, _ = weighted_mean(seen[rows, known.labels] - unseen[rows, known.labels], known.weights)
    share = MOST_SEEN if more <= gain else min(MOST_SEEN, gain / more)
    return np.asarray((1.0 - share) * unseen + share * seen, np.float64)
