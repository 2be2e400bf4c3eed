"""Writes of several threads in one transaction: whoever comes first writes for all that wait, and each of them waits
until its own is on disk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


@dataclass
class _Wish(Generic[Key, Value]):
    rows: Mapping[Key, Value]
    written: bool = False


class Together(Generic[Key, Value]):
    """Group commit. `write` gets the rows of all threads that wait, by key; an error reaches the one that wrote.

    The others then write again, for themselves and for all that came meanwhile.
    """

    def __init__(self, write: Callable[[Mapping[Key, Value]], None]) -> None:
        self._write = write
        self._turn, self._list = Lock(), Lock()
        self._waiting: list[_Wish[Key, Value]] = []

    def put(self, rows: Mapping[Key, Value]) -> None:
        """Returns when the rows are written."""
        own = _Wish(rows)
        with self._list:
            self._waiting.append(own)
        with self._turn:
            if own.written:
                return
            with self._list:
                wishes, self._waiting = self._waiting, []
            try:
                self._write({key: value for wish in wishes for key, value in wish.rows.items()})
            except BaseException:
                with self._list:
                    self._waiting += [wish for wish in wishes if wish is not own]
                raise
            for wish in wishes:
                wish.written = True
