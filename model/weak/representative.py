"""Do the tasks that people decided resemble the pool? Only then may they say how frequent labels are in it.

A permutation test: the decided tasks are n of the pool's N, and what is compared with them are random n-subsets of the
same pool. So its error rate holds for any pool, however uneven, and for any teacher and encoder; whatever labels people
gave plays no part. Training asks it before labels speak for tasks that nobody decided, judging before it rejects.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np

from model.acquisition.clusters import kmeans, nearest
from model.arrays import FloatArray, IntArray
from model.weak.chunks import Dense, Shares, pieces

DRAWS = 999
ALARM = 0.002  # p-value of either sign up to which it speaks: a fair sample is refused in well under 1 % of cases
TRIFLE = 0.1  # total variation beyond the mean of random samples that it must reach, too: many labels show any trifle
LACKING = 0.5  # or: some kind of tasks has less than this share of what it should have
EXPECTED = 10.0  # tasks, in a kind that can be lacking
CELLS = 16  # of similar texts
FITTED = 4096  # texts from which the cells are made
DEGREES = 5  # of doubt, with equally many rows each
TELLS: Mapping[str, str] = {
    "answers": "the teacher's answers on these tasks differ from those on the pool",
    "texts": "these texts differ in kind from those of the pool",
    "doubts": "how hard these tasks are differs from the pool",
}


@dataclass(frozen=True)
class Likeness:
    """How much decided tasks look like a random sample of the pool: the stronger of two signs that speak against it.

    `distance` is the total variation between the shares of the teacher's first labels (`answers`) or of cells of
    similar texts (`texts`), `by_chance` its mean over random samples, `chance` the share of these that are as far away.
    `lacking`: a rare kind of tasks is missing, which moves the distance little.
    """

    tasks: int
    sign: str = ""
    distance: float = 0.0
    by_chance: float = 0.0
    chance: float = 1.0
    lacking: bool = False

    @property
    def fair(self) -> bool:
        """Whether they may speak for the pool."""
        if self.tasks == 0 or self.chance > ALARM:
            return True
        return self.distance <= self.by_chance + TRIFLE and not self.lacking

    def sentence(self) -> str:
        """Why they may not, for people; "" if they may."""
        if self.fair:
            return ""
        return (
            f"the {self.tasks} human labels are no sample of the pool: {TELLS[self.sign]} by {self.distance:.0%},"
            f" a random sample by {self.by_chance:.0%}"
        )

    def to_json(self) -> dict[str, object]:
        """A plain object for reports."""
        return {**asdict(self), "fair": self.fair}


def likeness(
    first: IntArray,
    rows: IntArray,
    vectors: FloatArray | None = None,
    doubts: IntArray | None = None,
    seed: int = 0,
) -> Likeness:
    """Compare decided `rows` with all rows: by the teacher's `first` labels `(n,)` (-1: not asked), by `vectors`
    `(n, d)`, and by `degrees_of_doubt` `(n,)`, which give labels away that a machine asked for where it was unsure.

    Rows without an answer take no part: a teacher may have been asked about some kinds of texts alone. An alarm takes
    p <= 0.002, and a distance of 0.1 beyond that of random samples or a kind of tasks that is mostly missing.
    """
    signs = {"answers": first}
    if vectors is not None and len(rows):
        signs["texts"] = cells(vectors, seed)
    if doubts is not None:
        signs["doubts"] = doubts
    found = [Likeness(len(rows))]
    asked = first >= 0
    for sign, of_row in signs.items():
        decided = of_row[rows][asked[rows]]
        if len(decided):
            found.append(Likeness(len(rows), sign, *_compared(decided, of_row[asked], seed)))
    return min(found, key=lambda one: (one.fair, one.chance))


def _compared(decided: IntArray, pool: IntArray, seed: int) -> tuple[float, float, float, bool]:
    """Total variation of the shares of cells, its mean over random subsets, the share of these that are as far away by
    the sum of squares, which a few cells that are far off move more than many that are a little off; and whether a cell
    is mostly missing."""
    width = int(pool.max()) + 1
    counts, mine = np.bincount(pool, minlength=width), np.bincount(decided, minlength=width)
    number = int(mine.sum())
    drawn = np.random.default_rng(seed).multivariate_hypergeometric(counts, number, DRAWS, method="marginals")
    gaps = np.abs(np.vstack([mine, drawn]) / number - counts / len(pool))
    distances, squares = 0.5 * gaps.sum(1), (gaps**2).sum(1)
    as_far = 1 + int((squares[1:] >= squares[0] - 1e-12).sum())
    wanted = number * counts / len(pool)
    lacking = bool(((wanted >= EXPECTED) & (mine < LACKING * wanted)).any())
    return float(distances[0]), float(distances[1:].mean()), as_far / (DRAWS + 1), lacking


def cells(vectors: FloatArray, seed: int = 0) -> IntArray:
    """The cell of similar texts of every row, by k-means with 16 means, `(n,)`."""
    spread = np.unique(np.linspace(0, len(vectors) - 1, min(FITTED, len(vectors))).astype(np.int64))
    sample = np.asarray(vectors[spread], np.float32)
    means = kmeans(sample, np.ones(len(sample), np.float32), CELLS, np.random.default_rng(seed))
    found = np.empty(len(vectors), np.int64)
    for piece in pieces(len(vectors)):
        found[piece], _ = nearest(np.asarray(vectors[piece], np.float32), means)
    return found


def degrees_of_doubt(believed: Shares) -> IntArray:
    """In which fifth of all rows each one is by the lead of its first label over the second, `(n,)`."""
    leads = np.empty(len(believed))
    for piece in pieces(len(believed)):
        best = np.partition(believed[piece].astype(np.float64), -2, axis=1)[:, -2:]
        leads[piece] = best[:, 1] - best[:, 0]
    order = np.empty(len(leads), np.int64)
    order[np.argsort(leads, kind="stable")] = np.arange(len(leads))
    return order * DEGREES // max(1, len(leads))


def doubt_weights(doubts: IntArray, rows: IntArray) -> Dense:
    """What each decided row counts so that every degree of doubt counts as in the pool, `(k,)` with mean 1."""
    pool = np.bincount(doubts, minlength=DEGREES) / max(1, len(doubts))
    mine = np.bincount(doubts[rows], minlength=DEGREES) / max(1, len(rows))
    weights = (pool / np.maximum(mine, 1e-12))[doubts[rows]]
    return np.asarray(weights / max(float(weights.mean()), 1e-12) if len(rows) else weights, np.float64)


def weighted_counts(labels: IntArray, propensity: Dense, width: int) -> Dense:
    """Counts of labels `(C,)` in tasks that were drawn with these chances, weighted by the inverse of the chance.

    They sum to the effective number of draws, (sum of weights)^2 / sum of squared weights.
    """
    if not len(labels):
        return np.zeros(width)
    weights = 1.0 / propensity
    total = weights.sum()
    effective = total**2 / (weights**2).sum()
    return np.asarray(np.bincount(labels, weights, width) * effective / total, np.float64)
