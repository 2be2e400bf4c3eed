"""Texts as the database can hold them, and their hash."""

from __future__ import annotations

import hashlib
import re

UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def storable(text: str) -> str:
    """The text without what a database cannot hold: PostgreSQL refuses NUL, UTF-8 has no lone surrogates."""
    if text.isascii() and "\x00" not in text:
        return text
    return UNSTORABLE.sub("�", text)


def text_hash(text: str) -> str:
    """The first 32 hex digits of SHA-256 over the text: by it an edited text is told from the one that was asked."""
    return hashlib.sha256(storable(text).encode()).hexdigest()[:32]
