"""What a student sees of tasks of two texts: the features whose cross-fitted heads are right most often.

Judged on people's labels, and while these are few on the teacher's first answers, too. None has a head start: where the
relation had one (Conneau's features, unless another was better by more than chance), noisy labels kept it against
borders on the cosine alone; one for the cosine lost the relation where it pays (docs/evidence/pairs.md).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from model.arrays import Doubles, Embed, IntArray, Stop
from model.labels import LabelSpace
from model.pair_views import COSINE, DIFFERENCE, DIRECTED, JOINED, WORDED, WORDING, PairView
from model.text_groups import text_groups
from model.training.data import TrainingData
from model.training.options import TrainingOptions
from model.weak.judges import Known
from model.weak.supervised import heads_alone

ENOUGH = 300  # people's labels from which on they alone decide: fewer cannot tell five points from chance
EPOCHS = 20  # of the heads that compare them
MOST = 1_000  # rows on which views are compared
SIMPLE = (COSINE, *WORDED, JOINED)  # the simplest first: of two as good it is taken
SIDED = (DIFFERENCE, DIRECTED, JOINED)  # where the answer is one of the texts: the others cannot tell them apart
UNKNOWN = DIRECTED + WORDING  # where too little is known to compare: it holds the most


def chosen_view(
    space: LabelSpace, data: TrainingData, options: TrainingOptions, embed: Embed, stop: Stop | None = None
) -> tuple[PairView | None, dict[str, object]]:
    """The view, and the share of right answers by each that was compared; None where a task is a single text."""
    if options.pair is None:
        return None, {}
    rows, labels, judge = _judges(space, data, options.seed)
    simple = SIDED if options.pair.sided else SIMPLE
    names = [name for name in simple if name != JOINED or not options.pair.symmetric]
    known = Known(np.arange(len(rows)), labels, _groups(data, rows, options), np.ones(len(rows)))
    right: dict[str, Doubles] = {}
    for name in names:
        seen = PairView(options.pair, name).embed(embed)([data.texts[row] for row in rows]) if len(rows) else None
        here = None if seen is None else heads_alone(seen, known, len(space), replace(options, epochs=EPOCHS), stop)
        if here is None:
            features = DIFFERENCE if options.pair.sided else UNKNOWN
            return PairView(options.pair, features), {"features": features, "judged_by": "nobody yet"}
        right[name] = (here.unseen.argmax(1) == labels).astype(np.float64)
    best = max(names, key=lambda name: right[name].mean())
    shares = {name: round(float(found.mean()), 4) for name, found in right.items()}
    return PairView(options.pair, best), {"features": best, "right": shares, "rows": len(rows), "judged_by": judge}


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
