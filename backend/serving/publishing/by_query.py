"""People's queue of a search project: whole queries, because documents are judged beside those of the same query."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from backend.pool import queries, tasks
from backend.projects.current import Current


def by_query(current: Current, chosen: Sequence[int], eligible: Collection[int]) -> list[int]:
    """As many tasks as `chosen`, query by query: queries in the order of their first chosen task, of each the chosen
    tasks and then the other eligible ones. `chosen` itself where tasks share no query."""
    from model.text_groups import pair_key

    if current.pair is None or not current.pair.searches or not chosen:
        return list(chosen)
    texts = tasks.texts(current.engine, current.number, [*{*chosen, *eligible}])
    pair = queries.shared(current.engine, current.number, current.pair, texts) or current.pair
    places = {task: place for place, task in enumerate(chosen)}
    of_query: dict[str, list[int]] = {pair_key(pair, texts[task]): [] for task in chosen if task in texts}
    for task in sorted(texts, key=lambda task: (places.get(task, len(places)), task)):
        if (key := pair_key(pair, texts[task])) in of_query:
            of_query[key].append(task)
    return [task for line in of_query.values() for task in line][: len(chosen)]
