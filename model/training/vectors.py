"""Embeddings of all training rows, in bounded memory: float16, on disk once they are many."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from model.arrays import Embed, FloatArray, Progress, Stop
from model.errors import TrainingStopped

CHUNK = 256  # texts between two looks at `stop`
IN_MEMORY = 256 * 2**20  # bytes; above, the vectors are mapped from a temporary file


@contextmanager
def row_vectors(
    texts: Sequence[str], embed: Embed, progress: Progress | None = None, stop: Stop | None = None
) -> Iterator[FloatArray]:
    """Vectors `(n, d)` of all texts while the context lasts; TrainingStopped within a chunk after `stop()`."""
    with tempfile.TemporaryDirectory(prefix="shortlist-") as folder:
        vectors: FloatArray | None = None
        for start in range(0, len(texts), CHUNK):
            if stop is not None and stop():
                raise TrainingStopped("stopped while embedding texts")
            part = embed(texts[start : start + CHUNK])
            if vectors is None:
                vectors = _room(len(texts), part.shape[1], Path(folder))
            vectors[start : start + len(part)] = part
            if progress is not None:
                progress((start + len(part)) / len(texts), "embedding texts")
        yield vectors if vectors is not None else np.zeros((0, 1), np.float32)


def _room(rows: int, width: int, folder: Path) -> FloatArray:
    if rows * width * 4 <= IN_MEMORY:
        return np.empty((rows, width), np.float32)
    mapped: FloatArray = np.lib.format.open_memmap(  # type: ignore[no-untyped-call]
        folder / "vectors.npy", mode="w+", dtype=np.float16, shape=(rows, width)
    )
    return mapped
