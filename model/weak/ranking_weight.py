"""How much a student's grades count beside the encoder's cosine where the documents of a query are ranked.

A student that answers better often ranks worse: most documents are irrelevant, and of these it says little. So the
cosine ranks alone until labels of queries that cross-fitted heads have not seen show a gain beyond chance.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from model.arrays import Doubles, Embed, FloatArray, IntArray, Stop
from model.labels import LabelSpace
from model.pair_views import PairView, cosines
from model.ranking import blended, least_relevant, ndcg, per_query
from model.student.adapted import AdaptedEncoder
from model.text_groups import text_groups
from model.training.data import TrainingData
from model.training.options import TrainingOptions
from model.weak.judges import Known, beyond_chance
from model.weak.supervised import heads_alone

WEIGHTS = (0.0, 0.1, 0.3, 1.0)  # of the expected grade, scaled to [0, 1]; first: the default
ENOUGH = (
    20  # queries with different grades, from which on people's labels alone judge, and fewer than which nothing does
)
EPOCHS = 20  # of the heads
MOST = 2_000  # rows on which weights are compared, whole queries


def ranking_view(
    space: LabelSpace, data: TrainingData, options: TrainingOptions, view: PairView, embed: Embed,
    stop: Stop | None = None, own: AdaptedEncoder | None = None,
) -> tuple[PairView, dict[str, object]]:  # fmt: skip
    """The view with its weight, and nDCG@10 by each weight, by the student's `own` encoder if it has one, on texts that
    this has not learned from; as it was where tasks share no query or labels are no
    grades of one question."""
    if not view.pair.searches or space.several:
        return view, {}
    view = replace(view, falling=options.falling)
    rows, labels, queries = _labelled(data, options, own)
    embed = embed if own is None else own.embed
    texts = [data.texts[row] for row in rows]
    judges, judge = _judges(data.decided[rows], labels, queries)
    heads = None
    if judge != "nobody yet":
        known = Known(np.arange(len(rows)), labels, queries, np.ones(len(rows)))
        seen = view.embed(embed)(texts)
        heads = heads_alone(seen, known, len(space), replace(options, epochs=EPOCHS), stop)
    if heads is None:
        return view, {"weight": view.weight, "judged_by": "nobody yet"}
    alike = cosines(view.pair, texts, embed)[judges]
    shares = heads.unseen[judges].astype(np.float32)
    grades = len(space) - 1 - labels[judges] if view.falling else labels[judges]
    found = {
        weight: _gains(blended(replace(view, weight=weight), alike, shares), grades, queries[judges], len(space))
        for weight in WEIGHTS
    }
    best = max(found, key=lambda weight: float(found[weight].mean()))
    if best != WEIGHTS[0] and not beyond_chance(found[best] - found[WEIGHTS[0]], len(WEIGHTS)):
        best = WEIGHTS[0]
    means = {str(weight): round(float(gains.mean()), 4) for weight, gains in found.items()}
    return replace(view, weight=best), {
        "weight": best, "ndcg_at_10": means, "queries": len(found[best]), "judged_by": judge
    }  # fmt: skip


def _labelled(
    data: TrainingData, options: TrainingOptions, own: AdaptedEncoder | None
) -> tuple[IntArray, IntArray, IntArray]:
    """Rows with an answer, the person's or else the teacher's first, its label, and the number of the query."""
    first = np.where(data.decided, data.candidates.argmax(1), data.first)
    rows = np.flatnonzero(first >= 0)
    if own is not None:
        rows = rows[~own.knows([data.texts[row] for row in rows])]
    queries = text_groups([data.texts[row] for row in rows], None, options.pair)
    if len(rows) > MOST:
        order = np.random.default_rng(options.seed).permutation(np.unique(queries))
        sizes = np.cumsum([np.count_nonzero(queries == query) for query in order])
        kept = np.isin(queries, order[: max(1, int(np.searchsorted(sizes, MOST, side="right")))])
        rows, queries = rows[kept], queries[kept]
    return rows, first[rows].astype(np.int64), queries


def _judges(
    decided: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], labels: IntArray, queries: IntArray
) -> tuple[IntArray, str]:
    """Places of the rows that judge, and whose answers these are."""
    for name, places in (("people", np.flatnonzero(decided)), ("the teacher", np.arange(len(labels)))):
        several = sum(
            len(np.unique(labels[places][queries[places] == query])) > 1 for query in np.unique(queries[places])
        )
        if several >= ENOUGH:
            return places, name
    return np.arange(0), "nobody yet"


def _gains(scores: FloatArray, grades: IntArray, queries: IntArray, scale: int) -> Doubles:
    """nDCG@10 of each query that has a relevant document."""
    found = per_query(scores, grades, queries, lambda ordered, _: ndcg(ordered), least_relevant(scale))
    judged: Doubles = found[np.isfinite(found)]
    return judged
