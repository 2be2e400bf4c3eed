"""The documents of each query of an export in the order in which the served student ranks them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from backend.pool import queries, relevances, tasks
from backend.projects.current import Current
from model.pairs import Pair

COLUMNS = ("query", "relevance", "rank")


def ranks(current: Current) -> bool:
    """Whether an export has these columns: where tasks share queries."""
    return current.pair is not None and current.pair.searches


def ranked(current: Current, rows: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The rows with their query, what ranks them in it, in [0, 1], and their place, 1 the best; None where the served
    student has not said. People's decisions change none of these. Other projects' rows are as they were."""
    if not ranks(current):
        yield from rows
        return
    engine, number, pair = current.engine, current.number, current.pair
    assert pair is not None, "ranks says so"
    scores = relevances.read(engine, number, current.chooser) if current.chooser else {}
    names = {task: name for chunk in tasks.iterate(engine, number) for task, name in _named(current, pair, dict(chunk))}
    places = _places(names, scores)
    for row in rows:
        task = row["task"]
        yield row | {"query": names.get(task, ""), "relevance": scores.get(task), "rank": places.get(task)}


def _named(current: Current, pair: Pair, texts: Mapping[int, str]) -> Iterator[tuple[int, str]]:
    """Each task's query as people know it: its text, or what GROUP's field says."""
    if pair.query is not None:
        yield from ((task, pair.parts(text)[pair.query]) for task, text in texts.items())
    else:
        yield from queries.read(current.engine, current.number, texts).items()


def _places(names: Mapping[int, str], scores: Mapping[int, float]) -> dict[int, int]:
    """The place of each scored task in its query."""
    from model.text_groups import same

    of_query: dict[str, list[int]] = defaultdict(list)
    for task, name in names.items():
        if task in scores:
            of_query[same(name)].append(task)
    lists = (sorted(found, key=lambda task: (-scores[task], task)) for found in of_query.values())
    return {task: place for found in lists for place, task in enumerate(found, start=1)}
