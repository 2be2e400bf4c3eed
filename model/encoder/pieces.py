"""Long texts in pieces: which tokens are read at once, and how the pieces' vectors become one."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from model.arrays import FloatArray, IntArray
from model.encoder.usage import Usage


def cut(tokens: list[int], usage: Usage) -> list[list[int]]:
    """One text's tokens in pieces of equal length, each with the special tokens and prefix of the whole.

    A text that can be read at once is its only piece; of more pieces than wanted those evenly spread over it stay.
    """
    if len(tokens) <= usage.longest:
        return [tokens]
    end = len(tokens) - usage.trail
    room = max(1, usage.longest - usage.lead - usage.trail)
    number = math.ceil((end - usage.lead) / room)
    size = math.ceil((end - usage.lead) / number)
    starts = list(range(usage.lead, end, size))
    if usage.pieces == 1:
        starts, size = starts[:1], room
    elif len(starts) > usage.pieces:
        starts = [starts[round(place)] for place in np.linspace(0, len(starts) - 1, usage.pieces)]
    return [tokens[: usage.lead] + tokens[at : min(at + size, end)] + tokens[end:] for at in starts]


def padded(rows: Sequence[list[int]], padding: int) -> tuple[IntArray, IntArray]:
    """Token ids and attention mask `(n, length)`, int64; shorter rows are filled up on the right."""
    width = max(1, *map(len, rows))
    ids = np.full((len(rows), width), padding, np.int64)
    mask = np.zeros((len(rows), width), np.int64)
    for place, row in enumerate(rows):
        ids[place, : len(row)], mask[place, : len(row)] = row, 1
    return ids, mask


def joined(vectors: FloatArray, pieces: Sequence[list[list[int]]], usage: Usage) -> FloatArray:
    """One vector per text, `(n, d)`: the mean of its pieces' vectors, weighted by their tokens, of length 1 again.

    `vectors` `(m, d)` are those of all pieces in order; the vector of an only piece stays as it is.
    """
    result = np.empty((len(pieces), vectors.shape[1]), np.float32)
    at = 0
    for place, parts in enumerate(pieces):
        found = vectors[at : at + len(parts)]
        at += len(parts)
        if len(parts) == 1:
            result[place] = found[0]
            continue
        weights = np.array([len(part) - usage.lead - usage.trail for part in parts], np.float32)
        mean = weights @ found
        result[place] = mean / max(float(np.linalg.norm(mean)), 1e-12)
    return result
