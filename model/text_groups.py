"""Texts that are the same to a reader, and folds that never part them: whatever is judged must not have been learned.

Rows with one text (NFKC, case and spaces do not count) are one group; so are near-duplicates, whose vectors have a
cosine above 0.98, and whatever these join. Tasks of two texts that share a query are a group: what is learned of one
document helps with the others.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Sequence

import numpy as np

from model.arrays import FloatArray, IntArray
from model.pairs import Pair

ALIKE = 0.98  # cosine above which two texts count as one
MOST_COMPARED = 20_000  # texts up to which every pair of vectors is compared; more are told apart by their words alone
BLOCK = 1024  # rows compared at once
QUERY = "\n\n"  # before a query that is in no text: no key of texts begins so


def same(text: str) -> str:
    """What two texts share when they are the same to a reader: NFKC, case and spaces do not count."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def pair_key(pair: Pair, text: str) -> str:
    """What two tasks share that must not be parted: their query, or both texts, whose order may not matter."""
    shared = pair.queries.get(text)
    if shared is not None:
        return f"{QUERY}{shared}"
    parts = pair.parts(text)
    if pair.query is not None:
        return same(parts[pair.query])
    both = [same(part) for part in parts]
    return "\n".join(sorted(both) if pair.symmetric else both)


def text_groups(texts: Sequence[str], vectors: FloatArray | None = None, pair: Pair | None = None) -> IntArray:
    """The number of each text's group, int64 `(n,)`: the place of the first text of the group.

    `vectors` `(n, d)` of length 1 join near-duplicates, too, among at most 20,000 different texts. `pair`: how each
    text holds two; with a query all of its tasks are one group, and vectors join nothing.
    """
    first: dict[str, int] = {}
    keys = map(same, texts) if pair is None else (pair_key(pair, text) for text in texts)
    groups = np.fromiter((first.setdefault(key, place) for place, key in enumerate(keys)), np.int64, len(texts))
    whole = pair is not None and pair.searches
    if vectors is None or whole or not 1 < len(first) <= MOST_COMPARED:
        return groups
    leaders = np.fromiter(first.values(), np.int64, len(first))
    joined: IntArray = leaders[_near(np.asarray(vectors[leaders], np.float32))][np.searchsorted(leaders, groups)]
    return joined


def _near(vectors: FloatArray) -> IntArray:
    """Union-find over pairs of a cosine above 0.98: for each row the least place that it is joined with, `(n,)`."""
    root = np.arange(len(vectors), dtype=np.int64)
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)

    def find(place: int) -> int:
        while root[place] != place:
            root[place] = root[root[place]]
            place = int(root[place])
        return place

    for start in range(0, len(unit), BLOCK):
        close = unit[start : start + BLOCK] @ unit[start:].T > ALIKE
        for one, other in zip(*np.nonzero(np.triu(close, 1)), strict=True):
            low, high = sorted((find(start + int(one)), find(start + int(other))))
            root[high] = low
    return np.fromiter(map(find, range(len(root))), np.int64, len(root))


def folds(groups: IntArray, count: int, seed: int) -> IntArray:
    """The fold of every row, int64 `(n,)` in [0, count): of all rows of a group the same one, and about equally many in
    each. Groups are dealt out in random order, each to the fold with the fewest rows so far."""
    names, inverse, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    fold_of, filled = np.empty(len(names), np.int64), np.zeros(count, np.int64)
    for group in np.random.default_rng(seed).permutation(len(names)):
        fold_of[group] = int(filled.argmin())
        filled[fold_of[group]] += sizes[group]
    return fold_of[inverse]


def text_key(text: str) -> str:
    """A short name of a text and all that read the same: 16 hex digits."""
    return hashlib.sha256(same(text).encode("utf-8", "surrogatepass")).hexdigest()[:16]
