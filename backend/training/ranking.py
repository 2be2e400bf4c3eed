"""How well a fresh student ranks the documents of queries that it never saw, beside the encoder alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from backend.projects.current import Current
from backend.training.encoder import project_embedder
from backend.training.snapshot import Snapshot

if TYPE_CHECKING:
    from model.arrays import Embed, FloatArray, IntArray
    from model.pair_views import PairView


def ranked(
    current: Current,
    snapshot: Snapshot,
    truth: Mapping[int, str],
    probabilities: FloatArray,
    view: PairView | None,
    seen: Embed,
) -> dict[str, Any]:
    """Figures of the held-out decisions `truth` (task: label), by `probabilities` `(n, C)` of the same tasks in order,
    blended with the likeness by the student's own vectors (`seen`) as its `view` says; without a view (a fine-tuned
    student) they rank alone. {} where tasks share no query, or the labels are no grades of one question."""
    import numpy as np

    from model.decoding import chosen
    from model.pair_views import cosines, likeness
    from model.ranking import blended, expected_grades, ranking
    from model.text_groups import text_groups

    pair, space = snapshot.pair, snapshot.space
    if pair is None or not pair.searches or space.several or not truth:
        return {}
    texts = [snapshot.texts[task] for task in truth]
    queries = text_groups(texts, None, pair)
    grades = as_grades(current, np.array([space.index(label) for label in truth.values()], np.int64))
    shares = probabilities[:, ::-1] if falling(current) else probabilities
    said = as_grades(current, chosen(space.answer, probabilities))
    alike = cosines(pair, texts, project_embedder(current))
    scores = blended(view, likeness(view, texts, seen), probabilities) if view is not None else expected_grades(shares)
    student = ranking(scores, grades, queries, len(space), said)
    alone = ranking(alike, grades, queries, len(space))
    names = [*reversed(space.names)] if falling(current) else list(space.names)
    weights = {name: getattr(view, name, None) for name in ("weight", "words")}
    return {"ranking": {"grades": names, "student": student.to_json(), "encoder": alone.to_json(), **weights}}


def falling(current: Current) -> bool:
    """Whether the label config names the best grade first."""
    return current.options.GRADES == "falling"


def as_grades(current: Current, columns: IntArray) -> IntArray:
    """Columns of the label space as grades, 0 the worst."""
    return len(current.space) - 1 - columns if falling(current) else columns
