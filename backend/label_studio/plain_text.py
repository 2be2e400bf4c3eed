"""Plain text: what of HTML is visible, and what a database can hold."""

from __future__ import annotations

import re
from html.parser import HTMLParser

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
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # PostgreSQL refuses NUL, UTF-8 has no lone surrogates


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


class _Reader(HTMLParser):
    """Collects what is visible."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "body":
            self._hidden = 0  # </head> may be left out
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
