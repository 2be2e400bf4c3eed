"""How many of a query's words stand in each document: what encoders of sentences overlook, such as names and numbers.

Added to the cosine where that ranks better (`model.weak.ranking_weight`). Words count by their length, because long
ones are rarer: that ranked as well as their inverse document frequency, for which a student would have to keep a table.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import numpy as np

from model.arrays import FloatArray
from model.pairs import Pair

WORD = re.compile(r"\w+")


def overlaps(pair: Pair, texts: Sequence[str]) -> FloatArray:
    """Of the query's words (the first text's, where the query is in none) the share that the other text has too, by
    length, float32 `(n,)`."""
    side = pair.query or 0
    found: list[float] = []
    known: dict[str, frozenset[str]] = {}
    for parts in map(pair.parts, texts):
        query, document = (_words(parts[place], known) for place in (side, 1 - side))
        found.append(_length(query & document) / max(1, _length(query)))
    return np.array(found, np.float32)


def _words(text: str, known: dict[str, frozenset[str]]) -> frozenset[str]:
    if text not in known:
        known[text] = frozenset(WORD.findall(unicodedata.normalize("NFKC", text).casefold()))
    return known[text]


def _length(words: frozenset[str]) -> int:
    return sum(map(len, words))
