"""An embedding for tests that needs no weights: hashed words, so that texts which share words are near."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence

import numpy as np

from model.arrays import FloatArray

WIDTH = 256


def embed_words(texts: Sequence[str]) -> FloatArray:
    """L2-normalised bags of words, float32 (n, 256)."""
    vectors = np.zeros((len(texts), WIDTH), dtype=np.float32)
    for row, text in enumerate(texts):
        for word in text.lower().replace(".", " ").replace(":", " ").split():
            vectors[row, int.from_bytes(hashlib.sha256(word.encode()).digest()[:4], "big") % WIDTH] += 1
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.maximum(norms, 1e-9)


def embed(texts: object) -> object:
    return np.eye(64, dtype=np.float32)[[zlib.crc32(text.encode()) % 64 for text in texts]]  # type: ignore[attr-defined]
