"""Embeddings on disk, so that no text is encoded twice: immutable float16 shards, keyed by a hash of the text."""

from __future__ import annotations

import hashlib
import os
import threading
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import structlog

from model.arrays import FloatArray

log = structlog.get_logger(__name__)

KEY_BYTES = 16
CHUNK = 1024  # texts encoded before they are stored; a killed job repeats at most these
SMALL = 512  # rows; shards below it are merged once there are TOO_MANY of them
TOO_MANY = 64

Progress = Callable[[int, int], None]
Half = npt.NDArray[np.float16]


class Encodes(Protocol):
    """What the cache needs of an encoder."""

    identity: str
    dimension: int

    def embed(self, texts: Sequence[str], progress: Progress | None = None) -> FloatArray: ...


class EmbeddingCache:
    """A folder of shards for one encoder, safe for several processes and threads.

    A shard is two files, `<name>.vectors.npy` and `<name>.keys.npy`; the keys are renamed into place last, so that
    whoever sees them also sees the vectors. Shards are never changed; small ones are merged into a new one.
    """

    def __init__(self, folder: Path, encoder: Encodes) -> None:
        self._encoder = encoder
        self._folder = folder / encoder.identity
        self._folder.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._shards: dict[str, Half] = {}
        self._places: dict[bytes, tuple[str, int]] = {}

    def embed(self, texts: Sequence[str], progress: Progress | None = None) -> FloatArray:
        """L2-normalised float32 `(n, dimension)` in the order of `texts`; encodes and stores only what is missing.

        `progress(done, total)` counts texts; those that were cached count as done from the start.
        """
        keys = [key_of(text) for text in texts]
        self._encode_missing(texts, keys, progress)
        with self._lock:
            return self._gather(keys)

    def missing(self, texts: Sequence[str]) -> list[str]:
        """The texts that would have to be encoded, each once, short ones first."""
        return [text for _, text in self._missing([key_of(text) for text in texts], texts)]

    def fill(
        self,
        texts: Sequence[str],
        progress: Progress | None = None,
        begin: float = 0.0,
        stop: Callable[[], bool] | None = None,
    ) -> None:
        """Encode and store what is missing, until `stop()`. Other processes may do so at the same time: what they have
        stored is not encoded again. Each begins at a place of its own, `begin` in [0, 1), and comes round."""
        self._encode_missing(texts, [key_of(text) for text in texts], progress, begin, stop)

    def _missing(self, keys: list[bytes], texts: Sequence[str]) -> list[tuple[bytes, str]]:
        with self._lock:
            if any(key not in self._places for key in keys):
                self._scan()
            todo = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._places}
        # Similar lengths share a chunk, so that sorting inside the encoder can work.
        return sorted(todo.items(), key=lambda item: len(item[1]))

    def _encode_missing(
        self,
        texts: Sequence[str],
        keys: list[bytes],
        progress: Progress | None,
        begin: float = 0.0,
        stop: Callable[[], bool] | None = None,
    ) -> None:
        missing = self._missing(keys, texts)
        total, left = len(texts), len(missing)
        cut = round(begin * left)
        missing = missing[cut:] + missing[:cut]
        if progress is not None:
            progress(total - left, total)
        while missing and not (stop is not None and stop()):
            chunk, missing = missing[:CHUNK], missing[CHUNK:]
            vectors = self._encoder.embed([text for _, text in chunk])
            self._store([key for key, _ in chunk], vectors.astype(np.float16))
            if missing:
                missing = self._still_missing(missing)
            if progress is not None:
                progress(total - len(missing), total)
        if left:
            self._merge_small()

    def _still_missing(self, rows: list[tuple[bytes, str]]) -> list[tuple[bytes, str]]:
        """Without what others have stored meanwhile."""
        with self._lock:
            self._scan()
            return [(key, text) for key, text in rows if key not in self._places]

    def _gather(self, keys: list[bytes]) -> FloatArray:
        vectors = np.empty((len(keys), self._encoder.dimension), dtype=np.float32)
        rows_of: dict[str, list[int]] = {}
        for row, key in enumerate(keys):
            rows_of.setdefault(self._places[key][0], []).append(row)
        for shard, rows in rows_of.items():
            vectors[rows] = self._shards[shard][[self._places[keys[row]][1] for row in rows]]
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        normalised: FloatArray = vectors / np.maximum(norms, 1e-12)
        return normalised

    def _store(self, keys: list[bytes], vectors: Half) -> str:
        name = uuid.uuid4().hex
        digests = np.frombuffer(b"".join(keys), dtype=np.uint8).reshape(-1, KEY_BYTES)
        for kind, content in (("vectors", vectors), ("keys", digests)):
            temporary = self._folder / f".{name}.{kind}.tmp"
            with temporary.open("wb") as file:
                np.save(file, content)
            os.replace(temporary, self._folder / f"{name}.{kind}.npy")
        with self._lock:
            self._shards[name] = vectors if len(vectors) < SMALL else self._map(name)
            self._places.update((key, (name, row)) for row, key in enumerate(keys))
        return name

    def _map(self, name: str) -> Half:
        mapped: Half = np.load(self._folder / f"{name}.vectors.npy", mmap_mode="r")
        return mapped

    def _scan(self) -> None:
        """Learn of the shards that other processes wrote. A shard that was just merged away is skipped."""
        for path in self._folder.glob("*.keys.npy"):
            name = path.name.removesuffix(".keys.npy")
            if name in self._shards:
                continue
            try:
                digests = np.load(path)
                vectors = self._map(name)
            except FileNotFoundError:
                continue
            if len(digests) != len(vectors) or vectors.shape[1:] != (self._encoder.dimension,):
                log.warning("embedding_shard_ignored", shard=str(path), reason="its two files do not fit")
                continue
            self._shards[name] = vectors if len(vectors) >= SMALL else np.array(vectors)
            self._places.update((digest.tobytes(), (name, row)) for row, digest in enumerate(digests))

    def _merge_small(self) -> None:
        with self._lock:
            small = [name for name, vectors in self._shards.items() if len(vectors) < SMALL]
            if len(small) < TOO_MANY:
                return
            merged = {key: place for key, place in self._places.items() if place[0] in set(small)}
            if merged:
                vectors = np.stack([self._shards[shard][row] for shard, row in merged.values()])
                self._store(list(merged), vectors)
            for name in small:
                del self._shards[name]
                for kind in ("keys", "vectors"):
                    (self._folder / f"{name}.{kind}.npy").unlink(missing_ok=True)


def key_of(text: str) -> bytes:
    """The key of a text: the first 16 bytes of its SHA-256."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:KEY_BYTES]
