from __future__ import annotations

import sqlalchemy as sa

from backend.pool import tallies, tasks
from backend.pool.completions import completions, lacks_nothing
from tests.support.samples import PROJECT


def test_a_search_that_found_nothing_missing_is_repeated_only_after_a_change(engine: sa.Engine) -> None:
    searched: list[bool] = []

    def complete(missing: bool = False, what: str = "candidates/teacher-a") -> bool:
        now = tallies.of_project(engine, PROJECT)
        return lacks_nothing(engine, PROJECT, what, now, ("tasks",), lambda: searched.append(missing) or missing)

    assert [complete(missing=True), complete(missing=True)] == [False, False]
    assert [complete(), complete(), complete(missing=True)] == [True, True, True]
    assert searched == [True, True, False]
    tasks.add(engine, PROJECT, {900: "new"})
    assert [complete(missing=True), complete(), complete()] == [False, True, True]
    assert complete(missing=True, what="candidates/teacher-b") is False
    assert complete(what="candidates/teacher-b")
    with engine.connect() as connection:  # of a kind only the latest is remembered
        assert list(connection.scalars(sa.select(completions.c.what))) == ["candidates/teacher-b"]
