"""The text of a task: which field, and how HTML and dialogues become plain text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any

from backend.label_studio.control import Control

HIDDEN_TAGS = {"script", "style", "template", "noscript", "head", "title"}
INLINE_TAGS = {
    "a",
    "abbr",
    "b",
    "bdi",
    "bdo",
    "cite",
    "code",
    "em",
    "font",
    "i",
    "mark",
    "s",
    "small",
    "span",
    "strong",
}
INLINE_TAGS |= {"sub", "sup", "u", "wbr"}
LONGEST_TEXT = 50_000  # characters of a task that are read; models read far less
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # PostgreSQL refuses NUL, UTF-8 has no lone surrogates


def task_text(control: Control, data: Mapping[str, Any]) -> str:
    """The plain text that the annotator of this control reads, LONGEST_TEXT characters of it; "" when there is none."""
    value = _value(data, control.field)
    if control.object_kind == "Paragraphs":
        return storable(_dialogue(value, control)[:LONGEST_TEXT])
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    text = str(value)[:LONGEST_TEXT]
    return storable(strip_tags(text) if control.object_kind == "HyperText" else text).strip()


def storable(text: str) -> str:
    """The text without the few characters that a database cannot hold."""
    if text.isascii() and "\x00" not in text:
        return text
    return UNSTORABLE.sub("�", text)


def strip_tags(html: str) -> str:
    """The visible text of a piece of HTML; block tags become line breaks."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.parts).splitlines())
    return "\n".join(line for line in lines if line)


def _value(data: Mapping[str, Any], field: str) -> Any:
    """`field`, or the way through nested objects when it is written with dots."""
    if field in data:
        return data[field]
    value: Any = data
    for part in field.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(part)
    return value


def _dialogue(value: Any, control: Control) -> str:
    if isinstance(value, str):
        return value.strip()
    turns = value if isinstance(value, list) else []
    return "\n".join(line for turn in turns if (line := _turn(turn, control)))


def _turn(turn: Any, control: Control) -> str:
    if not isinstance(turn, Mapping):
        return turn.strip() if isinstance(turn, str) else ""
    text, author = turn.get(control.turn_key), turn.get(control.author_key)
    if not isinstance(text, str) or not text.strip():
        return ""
    return f"{author}: {text.strip()}" if isinstance(author, str) and author.strip() else text.strip()


class _Reader(HTMLParser):
    """Collects what is visible."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in HIDDEN_TAGS:
            self._hidden += 1
        elif tag not in INLINE_TAGS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in HIDDEN_TAGS:
            self._hidden = max(0, self._hidden - 1)
        elif tag not in INLINE_TAGS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(" ".join(data.split("\n")))
