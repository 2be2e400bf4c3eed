"""Where a search for missing rows goes on, so that working through a million tasks does not pass the done ones again
and again. Only a hint of this process: a search that finds nothing from there starts over."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import sqlalchemy as sa

Row = TypeVar("Row", bound=tuple[Any, ...])
START = -1  # before the smallest id
_places: WeakKeyDictionary[sa.Engine, dict[Hashable, int]] = WeakKeyDictionary()


def search(engine: sa.Engine, what: Hashable, find: Callable[[int], list[Row]]) -> list[Row]:
    """What `find` gives for ids after the place where the last search for `what` found its first row.

    `find(after)` returns rows by ascending id, which stands first. If there are none, all ids are searched, so that
    nothing at all means that nothing is missing.
    """
    places = _places.setdefault(engine, {})
    place = places.get(what, START)
    rows = find(place)
    if not rows and place > START:
        rows = find(START)
    if rows:
        places[what] = rows[0][0] - 1
    return rows
