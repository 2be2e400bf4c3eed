"""How much room a model gets for its thoughts. They share the limit of the answer, and are paid for as output."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Room:
    """`most` tokens for each try, once the model is seen to think; before it has answered, for the second try alone.

    A text gets no more than its bound was reckoned with, whatever was learned since: `promise` is for the bound, `of`
    for asking. Both give the tokens of the first and of the second try.
    """

    def __init__(self, most: Callable[[], int]) -> None:
        self._most = most
        self._thinks, self._answers = threading.Event(), threading.Event()
        self._promised: dict[str, tuple[int, int]] = {}
        self._lock = threading.Lock()

    @property
    def most(self) -> int:
        """The most tokens that a try can have."""
        return self._most()

    def promise(self, text: str) -> tuple[int, int]:
        """The room for a text as things are now, to be kept."""
        found = self._now()
        with self._lock:
            self._promised[text] = found
        return found

    def of(self, text: str) -> tuple[int, int]:
        """The room that was promised to a text, or that it has now."""
        with self._lock:
            return self._promised.pop(text, None) or self._now()

    def for_one(self) -> int:
        """The room for a request that is sent once."""
        return self.most

    def seen_thinking(self) -> None:
        """The model thinks, although it was asked not to."""
        self._thinks.set()

    def answers(self) -> None:
        """The model has answered, or had answered before, without more room."""
        self._answers.set()

    def _now(self) -> tuple[int, int]:
        if self._thinks.is_set():
            return self.most, self.most
        return (0, 0) if self._answers.is_set() else (0, self.most)
