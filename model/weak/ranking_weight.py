"""How much the query's words and a student's grades count beside the cosine where documents of a query are ranked.

A student that answers better often ranks worse: most documents are irrelevant, and of these it says little. So the
cosine ranks alone until labels show a gain beyond chance: first of the words, which need no learning, then of grades,
by queries that cross-fitted heads have not seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from model.arrays import Doubles, Embed, FloatArray, IntArray, Stop
from model.labels import LabelSpace
from model.pair_views import PairView, cosines, overlaps
from model.ranking import blended, least_relevant, ndcg, per_query
from model.student.adapted import AdaptedEncoder
from model.text_groups import text_groups
from model.training.data import TrainingData
from model.training.options import TrainingOptions
from model.weak.judges import Known, mean_maximum, weighted_mean
from model.weak.supervised import heads_alone

WEIGHTS = (0.0, 0.1, 0.3, 1.0)  # of the words' share and of the expected grade, both in [0, 1]; first: the default
ENOUGH = (
    20  # queries with different grades, from which on people's labels alone judge, and fewer than which nothing does
)
EPOCHS = 20  # of the heads
MOST = 2_000  # rows on which weights are compared, whole queries


def ranking_view(
    space: LabelSpace, data: TrainingData, options: TrainingOptions, view: PairView, embed: Embed,
    stop: Stop | None = None, own: AdaptedEncoder | None = None,
) -> tuple[PairView, dict[str, object]]:  # fmt: skip
    """The view with its weights, and nDCG@10 by each, by the student's `own` encoder if it has one, on texts that this
    has not learned from; as it was where tasks share no query or labels are no grades of one question."""
    if not view.pair.searches or space.several:
        return view, {}
    view = replace(view, falling=options.falling)
    rows, labels, queries = _labelled(data, options, own)
    embed = embed if own is None else own.embed
    texts = [data.texts[row] for row in rows]
    judges, judge = _judges(data.decided[rows], labels, queries)
    if judge == "nobody yet":
        return view, {"weight": view.weight, "words": view.words, "judged_by": judge}
    grades = len(space) - 1 - labels[judges] if view.falling else labels[judges]
    judging = _Judging(grades, queries[judges], len(space))
    here = [texts[place] for place in judges]
    alike, shared = cosines(view.pair, here, embed), overlaps(view.pair, here)
    words, by_words = judging.best({weight: alike + np.float32(weight) * shared for weight in WEIGHTS})
    view, alike = replace(view, words=words), alike + np.float32(words) * shared
    told = {"weight": view.weight, "words": words, "ndcg_at_10_by_words": by_words, "judged_by": judge}
    known = Known(np.arange(len(rows)), labels, queries, np.ones(len(rows)))
    heads = heads_alone(view.embed(embed)(texts), known, len(space), replace(options, epochs=EPOCHS), stop)
    if heads is None:
        return view, told
    shares = heads.unseen[judges].astype(np.float32)
    weight, by_grade = judging.best({one: blended(replace(view, weight=one), alike, shares) for one in WEIGHTS})
    found = {"weight": weight, "ndcg_at_10": by_grade, "queries": judging.count}
    return replace(view, weight=weight), {**told, **found}


@dataclass(frozen=True)
class _Judging:
    """Grades `(n,)` of documents, 0 the worst of `scale`, and the numbers of their queries."""

    grades: IntArray
    queries: IntArray
    scale: int

    @property
    def count(self) -> int:
        """Queries with a relevant document."""
        return len(self._gains(np.zeros(len(self.grades), np.float32)))

    def best(self, scores: Mapping[float, FloatArray]) -> tuple[float, dict[str, float]]:
        """The weight whose gain over none is surest, none unless it is beyond chance; and mean nDCG@10 by weight."""
        found = {weight: self._gains(one) for weight, one in scores.items()}
        default, bar = WEIGHTS[0], mean_maximum(len(WEIGHTS))
        sure = {default: 0.0}
        for weight in WEIGHTS[1:]:
            mean, error = weighted_mean(found[weight] - found[default])
            sure[weight] = mean - bar * error
        means = {str(weight): round(float(gains.mean()), 4) for weight, gains in found.items()}
        return max(sure, key=lambda weight: sure[weight]), means

    def _gains(self, scores: FloatArray) -> Doubles:
        """nDCG@10 of each query that has a relevant document."""
        least = least_relevant(self.scale)
        found = per_query(scores, self.grades, self.queries, lambda ordered, _: ndcg(ordered), least)
        judged: Doubles = found[np.isfinite(found)]
        return judged


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
