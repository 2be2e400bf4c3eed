"""Tasks that are set aside by a draw of their number: shown blind, or held out for judging."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from model.arrays import FloatArray
    from model.pairs import Pair

HELD_OUT_SHARE = 0.15  # of the tasks with a final human label


def blind_rank(project: int, task: int) -> float:
    """A task's place, in [0, 1), among those that are shown without an answer: it depends on neither text nor label."""
    digest = hashlib.sha256(f"blind:{project}:{task}".encode()).digest()
    return (int.from_bytes(digest[:8], "big") >> 11) / 2**53


def is_blind(project: int, task: int, share: float) -> bool:
    """Whether a task is shown without an answer; `share` in [0, 1]."""
    return blind_rank(project, task) < share


def is_held_out(project: int, task: int, share: float = HELD_OUT_SHARE) -> bool:
    """Whether the human label of a task is kept for judging: by hash, so that it is the same for every version."""
    digest = hashlib.sha256(f"{project}:{task}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64


def held_out_tasks(
    project: int,
    texts: Mapping[int, str],
    vectors: FloatArray | None = None,
    draw: Callable[[int, int], bool] = is_held_out,
    pair: Pair | None = None,
) -> set[int]:
    """Those of the decided tasks whose human label is kept for judging, by their texts.

    Tasks that read the same, or whose `vectors` `(n, d)` (in the order of the tasks) nearly coincide, go together by
    the `draw` of the first of them: else a label would be judged by its own copy. Of a `pair` with a query all tasks of
    a query go together, by a draw of the query, whichever of them are decided.
    """
    import numpy as np

    from model.text_groups import pair_key, text_groups

    if pair is not None and pair.searches:
        drawn = {key: draw(project, _number(key)) for key in {pair_key(pair, text) for text in texts.values()}}
        return {task for task, text in texts.items() if drawn[pair_key(pair, text)]}
    ids = sorted(texts)
    if vectors is not None:
        order = {task: place for place, task in enumerate(texts)}
        vectors = vectors[np.array([order[task] for task in ids], np.int64)]
    groups = text_groups([texts[task] for task in ids], vectors, pair)
    return {task for task, group in zip(ids, groups.tolist(), strict=True) if draw(project, ids[group])}


def _number(key: str) -> int:
    """A number that stands for a query in a draw."""
    return int.from_bytes(hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()[:8], "big")
