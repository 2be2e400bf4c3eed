"""The features by which a student sees tasks of two texts.

Each text is embedded by itself, so that a text of many pairs is embedded once where vectors are cached. Features of a
relation (|u - v|, u * v, the cosine; or that alone) are those of sentence encoders for pairs (Conneau et al., 2017;
Reimers and Gurevych, 2019). One with two directions needs u and v as well, and two texts that are parts of one (a title
and a body) are best embedded as they stand together. Where the answer is one of the two texts (which is better?), what
each is worth is compared by u - v (Bradley and Terry, 1952). What texts have in common by words and letters may stand
beside (`model.word_overlap`). Which of them is right for a project is chosen on its labels. Behind them there may be a
key: both vectors as one of length 1, by which a head tells tasks apart that it has learned from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from model.arrays import Embed, FloatArray
from model.errors import ArtifactError
from model.pairs import Pair
from model.word_overlap import COLUMNS, in_common, query_words

RELATION, DIRECTED, COSINE, JOINED, BESIDE = "relation", "relation+texts", "cosine", "joined", "texts"
DIFFERENCE = "difference"
OVERLAP = "+overlap"  # beside the vectors what the texts have in common by words and letters
OVERLAPPING = tuple(features + OVERLAP for features in (COSINE, RELATION, DIRECTED))
FEATURES = (RELATION, COSINE, DIRECTED, JOINED, DIFFERENCE, *OVERLAPPING)  # what a student may see
SIZES = {COSINE: (0, 1), RELATION: (2, 1), DIRECTED: (4, 1), DIFFERENCE: (1, 0)}  # columns: times a vector's, and more
LONGEST = 8.0  # no features are longer: those of vectors have at most a length of 5.7, words and letters one of 5.4
WEIGHT = np.float32(5)  # of the cosine among the features: one column says as much as many of the others


@dataclass(frozen=True)
class PairView:
    """What a student sees of pairs: `features` is one of FEATURES, or `texts`: both vectors side by side, of length 1
    as every vector that texts are compared by. Where tasks share a query its documents are ranked by the cosine plus
    `words` times the share of the query's words that they have, plus `weight` times the expected grade in [0, 1];
    `falling`: the label space names the best grade first; `keyed`: the features are followed by a key."""

    pair: Pair
    features: str
    weight: float = 0.0
    falling: bool = False
    words: float = 0.0
    keyed: bool = False

    def embed(self, embed: Embed) -> Embed:
        """From an encoder of texts to one of tasks: n tasks to float32 `(n, k)`."""
        return embed if self.features == JOINED else lambda texts: self._vectors(texts, embed)

    def _vectors(self, texts: Sequence[str], embed: Embed) -> FloatArray:
        left, right = both(self.pair, texts, embed)
        parts = [self._of(left, right)]
        if self.features.endswith(OVERLAP):
            parts.append(in_common([self.pair.parts(text) for text in texts], self.pair.symmetric))
        if self.keyed:
            parts.append(beside(left, right, self.pair.symmetric))
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)

    def _of(self, left: FloatArray, right: FloatArray) -> FloatArray:
        """What the vectors tell."""
        features = self.features.removesuffix(OVERLAP)
        if features == COSINE:
            alone: FloatArray = WEIGHT * (left * right).sum(1, keepdims=True)
            return alone
        if features == DIFFERENCE:
            return np.asarray(left - right, np.float32)
        if features == BESIDE:
            return beside(left, right, self.pair.symmetric)
        return pair_features(left, right, features == DIRECTED, self.pair.symmetric)

    def with_key(self, keyed: bool = True) -> PairView:
        """The same with a key, or without; what is embedded as one text, or is a key itself, needs none."""
        return replace(self, keyed=keyed and self.features not in (JOINED, BESIDE))

    def parted(self, vectors: FloatArray) -> tuple[FloatArray, FloatArray | None]:
        """Of what `embed` gives `(n, k)` the features and the key."""
        if not self.keyed:
            return vectors, None
        overlap = COLUMNS * self.features.endswith(OVERLAP)
        times, more = SIZES[self.features.removesuffix(OVERLAP)]
        times -= self.pair.symmetric and times == SIZES[DIRECTED][0]  # the sum of both vectors stands for both
        size = (vectors.shape[1] - more - overlap) // (times + 2)  # of a text's vector
        return vectors[:, : -2 * size], vectors[:, -2 * size :]

    def to_json(self) -> dict[str, Any]:
        """A plain object, as it is stored with a version."""
        own = {"features": self.features, "weight": self.weight, "falling": self.falling, "words": self.words}
        return {**own, "keyed": self.keyed, **self.pair.to_json()}

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> PairView:
        """The inverse of `to_json`; ArtifactError if it is none."""
        try:
            first, second = map(str, row["names"])
            left, right = map(int, row["sides"])
            query = None if row["query"] is None else int(row["query"])
            marks = tuple(map(str, row["marks"]))
            pair = Pair((first, second), marks, (left, right), bool(row["symmetric"]), query, str(row.get("group", "")),
                        sided=bool(row.get("sided", False)))  # fmt: skip
            weight, words = (float(row.get(name, 0.0)) for name in ("weight", "words"))  # earlier releases had none
            falling, keyed = (bool(row.get(name, False)) for name in ("falling", "keyed"))
            found = cls(pair, str(row["features"]), weight, falling, words, keyed)
        except (KeyError, TypeError, ValueError) as error:
            raise ArtifactError(f"what is stored about the two texts of a task cannot be read: {error!r}") from error
        if found.features not in FEATURES or not {left, right} <= set(range(len(marks))):
            raise ArtifactError(f"the student sees pairs by {found.features!r}, which this release does not know")
        return found


def pair_features(left: FloatArray, right: FloatArray, texts: bool = False, symmetric: bool = False) -> FloatArray:
    """Features of pairs of unit vectors `(n, d)`: |u - v|, u * v and 5 times the cosine, float32 `(n, 2 d + 1)`; with
    `texts` u and v as well, `(n, 4 d + 1)`, or where the order does not matter their sum, `(n, 3 d + 1)`."""
    products = left * right
    more = [left + right] if symmetric else [left, right]
    parts = [np.abs(left - right), products, WEIGHT * products.sum(1, keepdims=True), *(more if texts else [])]
    found: FloatArray = np.concatenate(parts, axis=1).astype(np.float32)
    return found


def beside(left: FloatArray, right: FloatArray, symmetric: bool = False) -> FloatArray:
    """Both vectors as one of length 1, `(n, 2 d)`; of a symmetric pair sum and distance, so that order is not seen."""
    parts = [left + right, np.abs(left - right)] if symmetric else [left, right]
    found = np.concatenate(parts, axis=1)
    lengths = np.linalg.norm(found, axis=1, keepdims=True)
    scaled: FloatArray = (found / np.maximum(lengths, 1e-12)).astype(np.float32)
    return scaled


def both(pair: Pair, texts: Sequence[str], embed: Embed) -> tuple[FloatArray, FloatArray]:
    """The vectors of the first and of the second text of each task, `(n, d)` each; a text is embedded once."""
    sides = [pair.parts(text) for text in texts]
    place = {part: row for row, part in enumerate(dict.fromkeys(part for parts in sides for part in parts))}
    vectors = embed(list(place))
    left, right = (vectors[[place[parts[side]] for parts in sides]] for side in (0, 1))
    return left, right


def cosines(pair: Pair, texts: Sequence[str], embed: Embed) -> FloatArray:
    """The cosine of the two texts of each task, float32 `(n,)`: how alike an encoder finds them."""
    left, right = both(pair, texts, embed)
    found: FloatArray = (left * right).sum(1).astype(np.float32)
    return found


def overlaps(pair: Pair, texts: Sequence[str]) -> FloatArray:
    """Of the query's words (the first text's, where the query is in none) the share that the other text has too, by
    length, float32 `(n,)`."""
    found: FloatArray = query_words([pair.parts(text) for text in texts], pair.query or 0)
    return found


def likeness(view: PairView, texts: Sequence[str], embed: Embed) -> FloatArray:
    """What ranks each task beside its grade, float32 `(n,)`: the cosine, and as they count the query's words."""
    alike = cosines(view.pair, texts, embed)
    return alike if view.words == 0 else alike + np.float32(view.words) * overlaps(view.pair, texts)
