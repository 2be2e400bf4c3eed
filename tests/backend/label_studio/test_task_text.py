"""Texts of tasks."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.label_studio.label_config import read_labeling_config, task_text
from backend.label_studio.task_text import strip_tags
from tests.support.configs import choices, view

TEXT = read_labeling_config(view(choices("a", "b")))
HTML = read_labeling_config(view(choices("a", "b"), tag="HyperText"))
TURNS = read_labeling_config(view(choices("a", "b"), tag="Paragraphs"))
NESTED = read_labeling_config(view(choices("a", "b"), value="$ticket.body"))


@pytest.mark.parametrize(
    ("data", "expected"),
    [({"text": " hi "}, "hi"), ({"text": 7}, "7"), ({"text": True}, ""), ({"text": None}, ""), ({}, ""),
     ({"text": ["x"]}, ""), ({"text": "a\x00b\ud800"}, "a�b�")],
)  # fmt: skip
def test_plain_text(data: dict[str, Any], expected: str) -> None:
    assert task_text(TEXT, data) == expected


def test_a_dotted_field_is_a_key_or_a_way() -> None:
    assert task_text(NESTED, {"ticket.body": "flat"}) == "flat"
    assert task_text(NESTED, {"ticket": {"body": "deep"}}) == "deep"
    assert task_text(NESTED, {"ticket": "x"}) == ""


def test_html_becomes_its_visible_text() -> None:
    html = "<style>p {}</style><p>My <b>parc</b>el &amp; I</p><p>wait<br>ing</p><script>x()</script>"
    assert task_text(HTML, {"text": html}) == "My parcel & I\nwait\ning"
    assert strip_tags("a < b") == "a < b"


def test_dialogues_become_lines() -> None:
    turns = [{"author": "Ann", "text": "hello"}, {"text": "hi"}, {"text": " "}, "loose", 3, {"author": "Bob"}]
    assert task_text(TURNS, {"text": turns}) == "Ann: hello\nhi\nloose"
    assert task_text(TURNS, {"text": "just text"}) == "just text"
    assert task_text(TURNS, {"text": 4}) == ""


@given(st.text())
def test_every_text_can_be_stored(text: str) -> None:
    for control in (TEXT, HTML, TURNS):
        result = task_text(control, {"text": text})
        assert "\x00" not in result
        result.encode()
