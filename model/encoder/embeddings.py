"""Embeddings on disk, so that no text is encoded twice: immutable float16 shards, keyed by a hash of the text."""

from __future__ import annotations

import hashlib
import itertools
import os
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import structlog

from model.arrays import FloatArray, IntArray
from model.encoder.key_index import KEY_BYTES, Digests, KeyIndex

log = structlog.get_logger(__name__)

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
        self._shards: dict[str, int] = {}  # the number of each, by which `_vectors` and `_index` know it
        self._vectors: dict[int, Half] = {}
        self._numbers = itertools.count()
        self._index = KeyIndex()

    def embed(self, texts: Sequence[str], progress: Progress | None = None) -> FloatArray:
        """L2-normalised float32 `(n, dimension)` in the order of `texts`; encodes and stores only what is missing.

        `progress(done, total)` counts texts; those that were cached count as done from the start.
        """
        keys = [key_of(text) for text in texts]
        self._encode_missing(texts, keys, progress)
        with self._lock:
            return self._gather(self._index.places(keys))

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
            known = self._index.known(keys)
            if not known.all():
                self._scan()
                known = self._index.known(keys)
            todo = {keys[row]: texts[row] for row in np.flatnonzero(~known)}
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
            known = self._index.known([key for key, _ in rows])
            return [rows[row] for row in np.flatnonzero(~known)]

    def _gather(self, places: IntArray) -> FloatArray:
        vectors = np.empty((len(places), self._encoder.dimension), dtype=np.float32)
        order = np.argsort(places[:, 0], kind="stable")
        numbers, starts = np.unique(places[order, 0], return_index=True)
        for number, rows in zip(numbers.tolist(), np.split(order, starts[1:]), strict=True):
            vectors[rows] = self._vectors[number][places[rows, 1]]
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
            self._know({name: digests}, {name: vectors if len(vectors) < SMALL else self._map(name)})
        return name

    def _know(self, digests: Mapping[str, Digests], vectors: Mapping[str, Half]) -> None:
        """Shards by name, from now on found by their keys."""
        numbers = dict(zip(digests, self._numbers, strict=False))
        self._shards |= numbers
        self._vectors |= {numbers[name]: part for name, part in vectors.items()}
        self._index.add({numbers[name]: keys for name, keys in digests.items()})

    def _map(self, name: str) -> Half:
        mapped: Half = np.load(self._folder / f"{name}.vectors.npy", mmap_mode="r")
        return mapped

    def _scan(self) -> None:
        """Learn of the shards that other processes wrote. A shard that was just merged away is skipped."""
        new: dict[str, Digests] = {}
        mapped: dict[str, Half] = {}
        for path in self._folder.glob("*.keys.npy"):
            name = path.name.removesuffix(".keys.npy")
            if name in self._shards:
                continue
            try:
                digests, vectors = np.load(path), self._map(name)
            except FileNotFoundError:
                continue
            if len(digests) != len(vectors) or vectors.shape[1:] != (self._encoder.dimension,):
                log.warning("embedding_shard_ignored", shard=str(path), reason="its two files do not fit")
                continue
            new[name], mapped[name] = digests, vectors if len(vectors) >= SMALL else np.array(vectors)
        if new:
            self._know(new, mapped)

    def _merge_small(self) -> None:
        with self._lock:
            small = [name for name, number in self._shards.items() if len(self._vectors[number]) < SMALL]
            if len(small) < TOO_MANY:
                return
            keys, places = self._index.within([self._shards[name] for name in small])
            if keys:
                self._store(keys, np.stack([self._vectors[shard][row] for shard, row in places.tolist()]))
            for name in small:
                del self._vectors[self._shards.pop(name)]
                for kind in ("keys", "vectors"):
                    (self._folder / f"{name}.{kind}.npy").unlink(missing_ok=True)


def key_of(text: str) -> bytes:
    """The key of a text: the first 16 bytes of its SHA-256."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:KEY_BYTES]
