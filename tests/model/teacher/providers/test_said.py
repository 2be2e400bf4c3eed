"""The words of an error are found in whatever shape a server sends them, and tell its meaning where HTTP does not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.teacher.providers.said import is_error, said_in

SHAPES = [
    ({"error": {"message": "Insufficient credits", "code": 402}}, 402, "Insufficient credits"),
    ({"error": {"message": "m", "type": "authentication_error"}}, 401, "m"),
    ({"error": "model 'x' not found, try pulling it first"}, 404, "model 'x' not found, try pulling it first"),
    ({"object": "error", "message": "The model `x` does not exist", "code": 404}, 404, "The model `x` does not exist"),
    ({"detail": [{"loc": ["body", "think"], "msg": "Extra inputs are not permitted"}]}, 400,
     "Extra inputs are not permitted (body.think)"),
    ({"object": "error", "message": {"detail": [{"msg": "bad", "loc": ["body", "x"]}]}}, 0, "bad (body.x)"),
    ({"choices": [{"error": {"code": 502, "message": "upstream"}}]}, 502, "upstream"),
    ({"error": {"code": 429, "message": "Provider returned error", "metadata": {"raw": "slow down"}}}, 429,
     "Provider returned error: slow down"),
    ({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, 503, "Overloaded"),
    ({"errors": [{"message": "This model's maximum context length is 4096"}]}, 413,
     "This model's maximum context length is 4096"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "status", "words"), SHAPES)
def test_errors_of_many_shapes(content: Any, status: int, words: str) -> None:
    assert is_error(content)
    assert (said_in(content).status, said_in(content).words) == (status, words)


def test_answers_are_no_errors() -> None:
    assert not is_error({"choices": [{"message": {"content": "a"}}], "error": None})
    assert not is_error({"type": "message", "content": [{"type": "text", "text": "a"}]})
    assert not is_error({"object": "list", "data": []})


json_like = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=20)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(
        ["error", "message", "code", "detail", "choices", "metadata", "loc", "type"]), inner, max_size=4)))  # fmt: skip


@given(json_like)
def test_any_json_has_words_and_a_status(content: Any) -> None:
    found = said_in(content)
    assert found.words
    assert found.status == 0 or 400 <= found.status < 600
    assert is_error(content) in (True, False)
