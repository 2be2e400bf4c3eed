"""How many tokens a text has, without asking: an estimate for prices shown before, a bound for what is reserved."""

from __future__ import annotations

import re

PIECE = re.compile(r"[A-Za-z]+|\d{1,3}|\s+|[^\x00-\x7f]|[^\w\s]|_")
UNIT = re.compile(r"[\u2e80-\uffef]+|[^\W\d_\u2e80-\uffef]+|\d{1,3}|[^\w\s]|_")
REPEATED = re.compile(r"(.)\1{2,}", re.DOTALL)


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


def fewest_tokens(text: str) -> int:
    """About as few as any tokenizer gives: one per word of up to ten letters, two per five Chinese or Japanese signs,
    half of one per other sign; long repeats of one sign cost nothing."""
    count = 0.0
    for match in UNIT.finditer(REPEATED.sub(r"\1\1", text)):
        unit = match.group()
        if unit[0] >= "\u2e80":
            count += 0.4 * len(unit)
        else:
            count += max(1.0, len(unit) / 10) if unit.isalpha() else 0.5
    return int(count)
