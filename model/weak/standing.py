"""What people's labels may say about other tasks, by how people came to them: by a draw, by scores, or nobody knows.

Drawn at random, labels tell how frequent labels are and judge every choice. Chosen by scores, they still teach how the
teacher errs (the choice saw the text alone), but judge only with weights, and say nothing about frequencies. Where
nobody knows, a test decides; what it refuses is set aside, unless it names nearly all labels that the teacher uses.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.arrays import BoolArray, FloatArray, IntArray
from model.training.data import TrainingData
from model.weak.chunks import Dense, Shares
from model.weak.judges import Known
from model.weak.prior import mean_shares
from model.weak.representative import (
    Likeness,
    degrees_of_doubt,
    doubt_weights,
    likeness,
    weighted_counts,
)

NAMED = 0.9  # share of the teacher's answers whose labels people must have named, for labels that are no sample
WHAT_TO_DO = (
    "they are learned as they are, but say nothing about other tasks until some are drawn at random: let people label"
    " tasks in random order, or switch on SCORE=acquisition and uncertainty sampling, whose queue holds a random share"
)


@dataclass(frozen=True)
class Standing:
    """`used` may speak for other tasks. `counts` `(C,)` are labels of a fair sample; `fair` whether those that nobody
    drew passed for one, and `like` why not; `aside` how many labels are set aside."""

    used: Known
    counts: Dense
    like: Likeness
    aside: int = 0

    @property
    def fair(self) -> bool:
        """Whether nothing is set aside or taken for chosen that should be a sample."""
        return self.like.fair

    def sentence(self) -> str:
        """What is set aside, why, and what to do; "" if nothing is."""
        return f"{self.like.sentence()}; {WHAT_TO_DO}" if self.aside else ""


def standing(
    data: TrainingData, known: Known, answered: IntArray, believed: Shares, vectors: FloatArray, seed: int = 0
) -> Standing:
    """What the labels of `known` rows are good for; `believed` `(n, C)` are beliefs that used none of them, `answered`
    the rows that the teacher answered."""
    drawn = np.full(len(known), np.nan) if data.propensity is None else data.propensity[known.rows].astype(np.float64)
    unknown, labels = np.isnan(drawn), believed.shape[1]
    doubts = degrees_of_doubt(believed)
    like = likeness(data.first, known.rows[unknown], vectors, doubts, seed)
    kept: BoolArray = np.ones(len(known), np.bool_)
    if like.fair:
        drawn[unknown] = unknown.sum() / max(1, len(believed))
    elif _named(known.of(unknown), mean_shares(believed[answered])):
        drawn[unknown] = 0.0
    else:
        kept = ~unknown
    used, drawn = known.of(kept), drawn[kept]
    sample = drawn > 0
    counts = weighted_counts(used.labels[sample], drawn[sample], labels)
    if not sample.all():
        used = Known(used.rows, used.labels, used.groups, doubt_weights(doubts, used.rows))
    return Standing(used, counts, like, int((~kept).sum()))


def _named(known: Known, mean: Dense) -> bool:
    """Whether people named two labels at least, and nearly all that the teacher uses."""
    names = np.unique(known.labels)
    return len(names) > 1 and float(mean[names].sum()) >= NAMED
