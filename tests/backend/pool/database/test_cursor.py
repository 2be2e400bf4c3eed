from __future__ import annotations

import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from backend.pool.database.cursor import search

ids = st.sets(st.integers(0, 30), max_size=12)


@given(missing=ids, arriving=ids, limit=st.integers(1, 5))
def test_repeated_searches_find_everything_and_end(missing: set[int], arriving: set[int], limit: int) -> None:
    engine = sa.create_engine("sqlite://")
    left, found, late = set(missing), [], set(arriving)

    def find(after: int) -> list[tuple[int]]:
        return [(number,) for number in sorted(left) if number > after][:limit]

    while rows := search(engine, "numbers", find):
        assert len(rows) <= limit
        found += [number for (number,) in rows]
        left -= {number for (number,) in rows}
        if late:
            left.add(late.pop())
    assert not left
    assert set(found) >= missing


def test_what_was_found_but_not_done_is_found_again_first() -> None:
    engine = sa.create_engine("sqlite://")

    def find(after: int) -> list[tuple[int]]:
        return [(number,) for number in (3, 5, 8) if number > after][:1]

    assert [search(engine, "numbers", find) for _ in range(3)] == [[(3,)]] * 3


def test_searches_for_different_things_do_not_mix() -> None:
    engine = sa.create_engine("sqlite://")
    places: list[int] = []

    def find(after: int) -> list[tuple[int]]:
        places.append(after)
        return [(7,)]

    for what in ("a", "a", "b"):
        search(engine, what, find)
    search(sa.create_engine("sqlite://"), "a", find)
    assert places == [-1, 6, -1, -1]
