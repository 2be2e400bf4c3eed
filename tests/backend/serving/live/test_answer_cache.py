"""The cache of entries: bounded, and apart by scope."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from backend.serving.live.answer_cache import AnswerCache


def test_what_was_put_is_found_by_task_and_text() -> None:
    cache = AnswerCache()
    cache.put("a", {(1, "x"): b"1", (2, "y"): b"2"})
    assert cache.get("a", [(1, "x"), (2, "other"), (3, "z")]) == {1: b"1"}
    assert cache.get("b", [(1, "x")]) == {}
    assert len(cache) == 2


def test_the_scope_that_was_not_asked_about_goes_first() -> None:
    cache = AnswerCache(capacity=2)
    for scope in ("a", "b"):
        cache.put(scope, {(1, "x"): b"{}"})
    cache.get("a", [])
    cache.put("c", {(1, "x"): b"3"})
    assert cache.get("b", [(1, "x")]) == {}
    assert cache.get("c", [(1, "x")]) == {1: b"3"}
    assert len(cache) == 2


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 30))), st.integers(1, 10))
def test_it_is_never_larger_than_allowed(steps: list[tuple[str, int]], capacity: int) -> None:
    cache = AnswerCache(capacity)
    for scope, task in steps:
        cache.put(scope, {(task, "x"): str(task).encode()})
        assert cache.get(scope, [(task, "x")]) == {task: str(task).encode()}
        assert len(cache) <= capacity
    assert len(cache) == sum(len(cache.get(scope, [(task, "x") for task in range(31)])) for scope in "abc")
