"""Texts of tasks."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.label_studio.label_config import read_labeling_config, task_text
from backend.label_studio.plain_text import strip_tags
from tests.support.configs import choices, view

TEXT = read_labeling_config(view(choices("a", "b")))
HTML = read_labeling_config(view(choices("a", "b"), tag="HyperText"))
TURNS = read_labeling_config(view(choices("a", "b"), tag="Paragraphs"))
NESTED = read_labeling_config(view(choices("a", "b"), value="$ticket.body"))


@pytest.mark.parametrize(
    ("data", "expected"),
    [({"text": " hi "}, "hi"), ({"text": 7}, "7"), ({"text": True}, "true"), ({"text": None}, ""), ({}, ""),
     ({"text": ["x", 2, None]}, "x,2,"), ({"text": {"a": "x"}}, ""), ({"text": "a\x00b\ud800"}, "a�b�")],
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
    assert strip_tags("<head><title>T</title><body>its head has no end") == "its head has no end"
    styles_first = f"<style>{'p {color: red} ' * 5_000}</style><p>Hi</p>"
    assert task_text(HTML, {"text": styles_first}) == "Hi"


def test_dialogues_become_lines() -> None:
    turns = [{"author": "Ann", "text": "hello"}, {"text": "hi"}, {"text": " "}, "loose", 3, {"author": "Bob"}]
    assert task_text(TURNS, {"text": turns}) == "Ann: hello\nhi\nloose"
    parts = [{"type": "text", "text": "look"}, {"type": "image_url", "image_url": {"url": "x"}}, {"text": "here"}]
    assert task_text(TURNS, {"text": [{"author": 7, "text": parts}, {"text": 42}]}) == "7: look\nhere\n42"
    assert task_text(TURNS, {"text": "just text"}) == "just text"
    assert task_text(TURNS, {"text": 4}) == ""


@given(st.text())
def test_every_text_can_be_stored(text: str) -> None:
    for control in (TEXT, HTML, TURNS):
        result = task_text(control, {"text": text})
        assert "\x00" not in result
        result.encode()


def shown(tags: str, data: dict[str, Any], fields: str = "") -> str:
    xml = f"<View>{tags}{choices('a', 'b')}</View>"
    return task_text(read_labeling_config(xml, fields=fields), data)


PAIR = '<Text name="text" value="$first"/><HyperText name="h" value="$second"/>'


def test_all_texts_on_the_screen_become_one_with_their_names() -> None:
    data = {"first": "A dog runs.", "second": "<p>An <b>animal</b> runs.</p>"}
    assert shown(PAIR, data) == "first: A dog runs.\n\nsecond: An animal runs."
    assert shown(PAIR, data, "second") == "An animal runs."
    assert shown(PAIR, data, "h,text") == "second: An animal runs.\n\nfirst: A dog runs."
    assert shown(PAIR, {"second": "only"}) == "second: only"
    assert shown(PAIR, {}) == ""


@pytest.mark.parametrize(
    ("tags", "data", "expected"),
    [
        ('<Text name="text" value="$items[0].text"/>', {"items": [{"text": "deep"}]}, "deep"),
        ('<Text name="text" value="$items[3].text"/>', {"items": [{"text": "deep"}]}, ""),
        ('<Text name="text" value="Title: $title!"/>', {"title": "Hi"}, "Title: Hi!"),
        ('<Text name="text" value="Title: $title!"/>', {}, ""),
        ('<Text name="text" value="$a, $b"/>', {"a": 1, "b": "x"}, "1, x"),
        ('<text name="text" value="$x"/>', {"x": "any case"}, "any case"),
        ('<Header value="$t"/><Text name="text" value="$x"/>', {"t": "T", "x": "X"}, "t: T\n\nx: X"),
        ('<Header value="Read this"/><Text name="text" value="$x"/>', {"x": "X"}, "X"),
        ('<Text name="text" value="$x"/><Text name="same" value="$x"/>', {"x": "X"}, "X"),
        ('<Text name="text" value="$x"/><View visibleWhen="choice-selected"><Text name="m" value="$m"/></View>',
         {"x": "X", "m": "M"}, "X"),
        ('<Chat name="text" value="$c"/>', {"c": [{"role": "user", "content": "hi"}, {"role": "x"}]}, "user: hi"),
        ('<Paragraphs name="text" value="$c" textkey="say" NAMEKEY="who"/>', {"c": [{"who": "A", "say": "hi"}]},
         "A: hi"),
        ('<Table name="text" value="$t"/>', {"t": {"b": 2, "A": "one"}}, "A: one\nb: 2"),
        ('<Table name="text" value="$t"/>', {"t": [{"x": 1, "y": None}, {"x": [2]}]}, "x: 1\nx: [2]"),
        ('<List name="text" value="$l"/>', {"l": [{"id": 7, "title": "T", "body": "B"}, {"html": "<b>H</b>"}]},
         "T: B\nH"),
    ],
)  # fmt: skip
def test_every_kind_of_text_is_read_as_the_editor_shows_it(tags: str, data: dict[str, Any], expected: str) -> None:
    assert shown(tags, data) == expected


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abxt"), inner, max_size=3),
)


@given(st.sampled_from(["Text", "HyperText", "Paragraphs", "Chat", "Table", "List"]), JSON)
def test_any_value_has_a_text_that_can_be_stored(tag: str, value: Any) -> None:
    for template in ("$x", "a: $x", "$x[0].a"):
        shown(f'<{tag} name="text" value="{template}"/>', {"x": value}).encode()
