"""Entries that were checked and sent once. What a version answers to a text never changes, so they stay right."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterable, Mapping
from threading import Lock
from typing import Any, TypeAlias

Key: TypeAlias = tuple[int, str]  # task, hash of its text
CAPACITY = 20_000  # entries, about 2 kB each


class AnswerCache:
    """Bounded, thread-safe. A `scope` is everything besides task and text that shapes an entry.

    When it is full, the scope that was not asked about for longest goes first.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._size = 0
        self._lock = Lock()
        self._scopes: OrderedDict[Hashable, dict[Key, dict[str, Any]]] = OrderedDict()

    def __len__(self) -> int:
        return self._size

    def get(self, scope: Hashable, keys: Iterable[Key]) -> dict[int, dict[str, Any]]:
        """The known entries by task."""
        with self._lock:
            known = self._scopes.get(scope)
            if known is None:
                return {}
            self._scopes.move_to_end(scope)
            return {key[0]: entry for key in keys if (entry := known.get(key)) is not None}

    def put(self, scope: Hashable, entries: Mapping[Key, dict[str, Any]]) -> None:
        """Keep entries; nobody may change them afterwards."""
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
