"""Where each text's vector is kept, by the text's key: sorted arrays, for a tenth of a dictionary's memory and time."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from model.arrays import BoolArray, IntArray

KEY_BYTES = 16
FEW = 4096  # keys that are looked up in a dictionary before the arrays are made anew with them
Digests: TypeAlias = npt.NDArray[np.uint8]  # (n, KEY_BYTES)
Keys: TypeAlias = npt.NDArray[np.bytes_]  # (n,), each of KEY_BYTES


class KeyIndex:
    """Keys of 16 bytes and the place of each: the number of its shard, and its row there."""

    def __init__(self) -> None:
        self._keys: Keys = np.empty(0, f"S{KEY_BYTES}")  # ascending
        self._places: IntArray = np.empty((0, 2), np.int64)
        self._recent: dict[bytes, tuple[int, int]] = {}

    def add(self, shards: Mapping[int, Digests]) -> None:
        """The keys of shards by their numbers, in the order of rows. A key that is known has the new place from now
        on."""
        if sum(map(len, shards.values())) + len(self._recent) < FEW:
            for number, digests in shards.items():
                self._recent.update((digest.tobytes(), (number, row)) for row, digest in enumerate(digests))
            return
        self._settle()
        places = [np.column_stack([np.full(len(keys), shard), np.arange(len(keys))]) for shard, keys in shards.items()]
        self._insert(_keys(np.concatenate(list(shards.values())).tobytes()), np.concatenate(places))

    def places(self, keys: Sequence[bytes]) -> IntArray:
        """Shard and row of each key, `(n, 2)`; -1 where it is not known."""
        found = np.full((len(keys), 2), -1, np.int64)
        at, hit = self._at(_keys(b"".join(keys)))
        found[hit] = self._places[at[hit]]
        for row, key in enumerate(keys) if self._recent else ():
            if key in self._recent:
                found[row] = self._recent[key]
        return found

    def known(self, keys: Sequence[bytes]) -> BoolArray:
        """Which keys have a place, `(n,)`."""
        known: BoolArray = self.places(keys)[:, 0] >= 0
        return known

    def within(self, shards: Collection[int]) -> tuple[list[bytes], IntArray]:
        """The keys whose place is in one of these shards, and the places `(n, 2)`."""
        self._settle()
        inside = np.isin(self._places[:, 0], list(shards))
        whole = self._keys[inside].tobytes()
        return [whole[start : start + KEY_BYTES] for start in range(0, len(whole), KEY_BYTES)], self._places[inside]

    def _settle(self) -> None:
        """The few that came one by one join the others."""
        if self._recent:
            self._insert(_keys(b"".join(self._recent)), np.array(list(self._recent.values()), np.int64))
            self._recent = {}

    def _insert(self, keys: Keys, places: IntArray) -> None:
        at, hit = self._at(keys)
        self._places[at[hit]] = places[hit]
        new, first = np.unique(keys[~hit], return_index=True)
        at = np.searchsorted(self._keys, new)
        self._keys = np.insert(self._keys, at, new)
        self._places = np.insert(self._places, at, places[~hit][first], axis=0)

    def _at(self, keys: Keys) -> tuple[IntArray, BoolArray]:
        """Where each key is among the sorted ones, and whether it is there."""
        if not len(self._keys):
            return np.zeros(len(keys), np.int64), np.zeros(len(keys), np.bool_)
        at = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        return at, self._keys[at] == keys


def _keys(joined: bytes) -> Keys:
    return np.frombuffer(joined, f"S{KEY_BYTES}")
