"""What a student sees of tasks of two texts: the simplest features that no others beat by more than chance.

Cross-fitted linear heads are compared, on people's labels, and while these are few on the teacher's first answers, too:
where linear heads answer by how likely these are, which tells of few labels what counts of right answers do not.
Networks, which learn of large pools, remember rows the better the more features there are: the comparison does not see
that, hence the head start of the simple ones. Networks that compare had kept the relation from noisy labels where it
pays (docs/evidence/pairs.md).
"""

from __future__ import annotations

import numpy as np
import torch

from model.arrays import Doubles, Embed, IntArray, Stop
from model.labels import LabelSpace
from model.pair_views import DIFFERENCE, DIRECTED, JOINED, OVERLAP, OVERLAPPING, PairView
from model.text_groups import folds, text_groups
from model.training.data import TrainingData
from model.training.linear_head import Unseen
from model.training.options import TrainingOptions
from model.training.small_pools import may_start_linear
from model.training.targets import SoftTargets
from model.weak.floor import CRITICAL

ENOUGH = 300  # people's labels from which on they alone decide: fewer cannot tell five points from chance
FOLDS = 3  # of texts, each answered by a head of the others
LEAST_ROWS = 20  # below which nothing is compared
MOST = 1_000  # rows on which views are compared
SIMPLE = (*OVERLAPPING, JOINED)  # the simplest first
SIDED = (DIFFERENCE, DIRECTED, JOINED)  # where the answer is one of the texts: the others cannot tell them apart
UNKNOWN = DIRECTED + OVERLAP  # where too little is known to compare: it holds the most


def chosen_view(
    space: LabelSpace, data: TrainingData, options: TrainingOptions, embed: Embed, stop: Stop | None = None
) -> tuple[PairView | None, dict[str, object]]:
    """The view, and the share of right answers by each that was compared; None where a task is a single text."""
    if options.pair is None:
        return None, {}
    rows, labels, judge = _judges(space, data, options.seed)
    simple = SIDED if options.pair.sided else SIMPLE
    names = [name for name in simple if name != JOINED or not options.pair.symmetric]
    fold_of = folds(_groups(data, rows, options), FOLDS, options.seed) if len(rows) else np.zeros(0, np.int64)
    if len(rows) < LEAST_ROWS or len(np.unique(labels)) < 2 or len(np.unique(fold_of)) < 2:
        features = DIFFERENCE if options.pair.sided else UNKNOWN
        return PairView(options.pair, features), {"features": features, "judged_by": "nobody yet"}
    texts = [data.texts[row] for row in rows]
    targets = SoftTargets(torch.from_numpy(np.eye(len(space), dtype=np.float32)[labels]), torch.ones(len(rows)))
    right, likely = dict[str, Doubles](), dict[str, Doubles]()
    for name in names:
        seen = PairView(options.pair, name).embed(embed)(texts)
        said = Unseen(seen, targets, fold_of, stop).shares()
        right[name] = (said.argmax(1) == labels).astype(np.float64)
        likely[name] = targets.likelihoods(torch.arange(len(rows)), torch.from_numpy(said)).double().numpy()
    linear = not space.several and may_start_linear(len(data), options)
    best = _simplest(likely if linear else right)
    told = {
        "right": {name: round(float(found.mean()), 4) for name, found in right.items()},
        "log_likelihood": {name: round(float(found.mean()), 4) for name, found in likely.items()},
    }
    return PairView(options.pair, best), {"features": best, **told, "rows": len(rows), "judged_by": judge}


def _simplest(scores: dict[str, Doubles]) -> str:
    """The first of them that the best does not beat by more than chance."""
    best = max(scores.values(), key=np.mean)
    behind = {name: best - found for name, found in scores.items()}
    return next(name for name, less in behind.items() if less.mean() <= CRITICAL * less.std() / len(less) ** 0.5)


def _judges(space: LabelSpace, data: TrainingData, seed: int) -> tuple[IntArray, IntArray, str]:
    """Rows, one label of each, and whose they are; at most MOST of them, people's first. Where several labels may
    be right, rows with an answer to the first question count by its first label."""
    columns = space.groups[0].columns
    decided = np.flatnonzero(data.decided & data.candidates[:, columns].any(1))
    people = len(decided) >= ENOUGH
    sets = data.candidates if people else data.teacher_sets | data.candidates
    rows = decided if people else np.flatnonzero(sets[:, columns].any(1))
    if len(rows) > MOST:
        drawn = np.random.default_rng(seed).permutation(rows)
        rows = np.sort(drawn[np.argsort(~data.decided[drawn], kind="stable")][:MOST])
    labels = sets[rows][:, columns].argmax(1).astype(np.int64)
    if not people and not space.several:
        labels = np.where(data.decided[rows], data.candidates[rows].argmax(1), np.maximum(data.first[rows], 0))
    return rows, labels, "people" if people else "people and the teacher" if len(decided) else "the teacher"


def _groups(data: TrainingData, rows: IntArray, options: TrainingOptions) -> IntArray:
    return text_groups([data.texts[row] for row in rows], None, options.pair)
