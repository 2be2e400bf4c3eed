"""What all loaded encoders share: texts in batches of bounded size, long ones in pieces."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from model.arrays import FloatArray, IntArray
from model.encoder.pieces import cut, joined, padded
from model.encoder.usage import Usage

BATCH_TOKENS = 8192  # padded tokens of one batch: bounds memory for any length of text
BATCH_ROWS = 128

Progress = Callable[[int, int], None]


class Batching:
    """Cuts texts into batches of similar length, so that memory stays bounded whatever their number."""

    identity: str
    dimension: int
    usage: Usage
    padding: int

    @property
    def longest(self) -> int:
        """Tokens that are read at once."""
        return self.usage.longest

    def embed(self, texts: Sequence[str], progress: Progress | None = None) -> FloatArray:
        """L2-normalised vectors, float32 `(n, dimension)`, in the order of `texts`; see Usage for what they are.

        One text has one vector, up to rounding, whatever stands beside it. `progress(done, total)` is called after
        every batch.
        """
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        done = 0
        for rows in self._batches(texts):
            vectors[rows] = self._embed_batch([self.usage.given(texts[row]) for row in rows])
            done += len(rows)
            if progress is not None:
                progress(done, len(texts))
        return vectors

    def _batches(self, texts: Sequence[str]) -> Iterator[list[int]]:
        """Row numbers, longest texts first, so that a shortage of memory shows at once."""
        batch: list[int] = []
        width = 0
        for row in sorted(range(len(texts)), key=lambda row: -len(texts[row])):
            width = width or min(self.longest, len(texts[row]) // 2 + 8)
            batch.append(row)
            if len(batch) >= BATCH_ROWS or (len(batch) + 1) * width > BATCH_TOKENS:
                yield batch
                batch, width = [], 0
        if batch:
            yield batch

    def _embed_batch(self, texts: list[str]) -> FloatArray:
        pieces = [cut(tokens, self.usage) for tokens in self._tokens(texts)]
        rows = [piece for parts in pieces for piece in parts]
        step = len(rows) if len(rows) == len(texts) else max(1, BATCH_TOKENS // self.longest)
        found = [self._run(*padded(rows[at : at + step], self.padding)) for at in range(0, len(rows), step)]
        return joined(np.concatenate(found), pieces, self.usage)

    def _tokens(self, texts: list[str]) -> list[list[int]]:
        """Token ids of each text, special ones included, however long it is."""
        raise NotImplementedError

    def _run(self, ids: IntArray, mask: IntArray) -> FloatArray:
        """L2-normalised vectors `(n, d)` of token ids and mask `(n, length)`."""
        raise NotImplementedError
