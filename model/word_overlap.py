"""How many of a query's words stand in each document: what encoders of sentences overlook, such as names and numbers.

Added to the cosine where that ranks better (`model.weak.ranking_weight`). Words count by their length, because long
ones are rarer: that ranked as well as their inverse document frequency, for which a student would have to keep a table.
"""

from __future__ import annotations

from collections.abc import Sequence

from model.arrays import FloatArray
from model.pairs import Pair
from model.portable.wording import query_words


def overlaps(pair: Pair, texts: Sequence[str]) -> FloatArray:
    """Of the query's words (the first text's, where the query is in none) the share that the other text has too, by
    length, float32 `(n,)`."""
    found: FloatArray = query_words([pair.parts(text) for text in texts], pair.query or 0)
    return found
