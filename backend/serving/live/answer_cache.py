"""Entries that were checked and sent once, as JSON. What a version answers to a text never changes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterable, Mapping
from threading import Lock
from typing import TypeAlias

Key: TypeAlias = tuple[int, str]  # task, hash of its text
CAPACITY = 50_000  # entries, about half a kilobyte each


class AnswerCache:
    """Bounded, thread-safe. A `scope` is everything besides task and text that shapes an entry.

    When it is full, the scope that was not asked about for longest goes first.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._size = 0
        self._lock = Lock()
        self._scopes: OrderedDict[Hashable, dict[Key, bytes]] = OrderedDict()

    def __len__(self) -> int:
        return self._size

    def get(self, scope: Hashable, keys: Iterable[Key]) -> dict[int, bytes]:
        """The known entries by task."""
        with self._lock:
            known = self._scopes.get(scope)
            if known is None:
                return {}
            self._scopes.move_to_end(scope)
            return {key[0]: entry for key in keys if (entry := known.get(key)) is not None}

    def put(self, scope: Hashable, entries: Mapping[Key, bytes]) -> None:
        """Keep entries."""
        with self._lock:
            known = self._scopes.setdefault(scope, {})
            self._scopes.move_to_end(scope)
            before = len(known)
            known.update(entries)
            self._size += len(known) - before
            self._shrink()

    def _shrink(self) -> None:
        while self._size > self._capacity and len(self._scopes) > 1:
            _, gone = self._scopes.popitem(last=False)
            self._size -= len(gone)
        for scope in self._scopes if self._size > self._capacity else ():
            known = self._scopes[scope]
            while self._size > self._capacity and known:
                del known[next(iter(known))]
                self._size -= 1
