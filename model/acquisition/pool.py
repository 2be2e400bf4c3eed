"""The pool as acquisition sees it: rows with vectors and with probabilities that are computed when they are needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from model.arrays import FloatArray, IntArray

BLOCK = 16384  # rows handled at once: 25 MB of float32 at 384 dimensions

Vectors: TypeAlias = npt.NDArray[np.float16] | npt.NDArray[np.float32]
Probabilities: TypeAlias = Callable[[IntArray], FloatArray]
Classify: TypeAlias = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True)
class TextVectors:
    """Vectors `(N, d)` of texts that are looked up when rows are asked for, so that only these are in memory."""

    texts: Sequence[str]
    embed: Callable[[Sequence[str]], FloatArray]

    def __len__(self) -> int:
        return len(self.texts)

    def __getitem__(self, rows: IntArray) -> FloatArray:
        return self.embed([self.texts[row] for row in rows.tolist()])


@dataclass(frozen=True)
class Pool:
    """N tasks by row number.

    `embeddings` is `(N, d)`, float16 or float32, possibly mapped from disk or looked up by text. `student` (the
    promoted one), `base` (what the encoder alone would say) and `members` (of a committee) answer row numbers `(b,)`
    with probabilities `(b, C)`; they are asked block by block.
    """

    size: int
    student: Probabilities | None = None
    base: Probabilities | None = None
    members: Sequence[Probabilities] = ()
    embeddings: Vectors | TextVectors | None = None

    def __post_init__(self) -> None:
        if self.embeddings is not None and len(self.embeddings) != self.size:
            raise ValueError(f"a pool of {self.size} tasks has {len(self.embeddings)} vectors")

    def vectors(self, rows: IntArray) -> FloatArray:
        """Float32 vectors `(b, d)` of some rows. ValueError if the pool has none."""
        if self.embeddings is None:
            raise ValueError("this pool has no embeddings; give them, or choose without diversity")
        return np.asarray(self.embeddings[rows], dtype=np.float32)


def blocks(rows: IntArray, size: int = BLOCK) -> Iterator[IntArray]:
    """Pieces of at most `size` row numbers, in order."""
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def from_array(probabilities: npt.NDArray[np.floating]) -> Probabilities:
    """Probabilities that are stored already, `(N, C)`."""
    return lambda rows: np.asarray(probabilities[rows], dtype=np.float32)


def from_vectors(embeddings: Vectors, classify: Classify) -> Probabilities:
    """Probabilities of a classifier on vectors, computed for the rows that are asked for."""
    return lambda rows: classify(np.asarray(embeddings[rows], dtype=np.float32))


def distinct(keys: Sequence[str], eligible: IntArray) -> IntArray:
    """The eligible rows with the first one only of each key (a hash of the text), in order."""
    seen: dict[str, int] = {}
    for row in eligible.tolist():
        seen.setdefault(keys[row], row)
    return np.fromiter(seen.values(), dtype=np.int64, count=len(seen))
