"""How many tokens a text has, without asking: an estimate for prices shown before, a bound for what is reserved."""

from __future__ import annotations

import re

PIECE = re.compile(r"[A-Za-z]+|\d{1,3}|\s+|[^\x00-\x7f]|[^\w\s]|_")


def estimate_tokens(text: str) -> int:
    """About as many as a byte-pair tokenizer gives: short words one, longer ones one per five letters."""
    count = 0.0
    for match in PIECE.finditer(text):
        piece = match.group()
        if piece.isspace():
            count += piece.count("\n") * 0.5
        elif piece.isascii() and piece.isalpha():
            count += max(1.0, len(piece) / 5)
        else:
            count += 1.0
    return int(count) + 1


def most_tokens(text: str) -> int:
    """Never fewer than a byte-level tokenizer gives: one per byte."""
    return len(text.encode("utf-8", "replace"))
