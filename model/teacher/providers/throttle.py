"""How many calls may be under way: more while all goes well, fewer after a 429 and when answers come late, none while
told to wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

from model.teacher.providers.http import LONGEST_WAIT, TOO_SLOW

SLOWED = (TOO_SLOW, 429, 503, 529)  # late or never, too many requests, overloaded
SLOWER = 0.9  # of the limit that remains
TOLERATED = 0.2  # share of complaints among the latest answers
MEMORY_SECONDS = 1.0
BURST_SECONDS = 0.5  # complaints within it count as one


class Throttle:
    """Additive increase, multiplicative decrease, shared by the threads of one process.

    Up to the first decrease the limit doubles per round of answers. A few complaints among many good answers are the
    price of staying at the server's limit, and cost nothing: the limit falls, and all wait for the time that the server
    names, only while more than TOLERATED of the latest answers complain; the limit once per burst. The call that was
    refused waits in the SDK anyway.
    """

    def __init__(
        self,
        start: int = 4,
        most: int = 32,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limit, self.most, self.running = float(start), most, 0
        self._clock, self._free = clock, threading.Condition()
        self._not_before = 0.0
        self._slowed_at = -1.0
        self._good = self._bad = 0.0  # answers, each counting half after MEMORY_SECONDS
        self._counted_at = clock()

    @contextmanager
    def slot(self) -> Iterator[float]:
        """Wait for a place among the calls under way; yields when the call began."""
        with self._free:
            while (wait := self._not_before - self._clock()) > 0 or self.running >= int(self.limit):
                self._free.wait(wait if wait > 0 else None)
            self.running += 1
            began = self._clock()
        try:
            yield began
        finally:
            with self._free:
                self.running -= 1
                self._free.notify()

    def heard(self, status: int, retry_after: float | None = None) -> None:
        """Every HTTP answer is reported here, those that the SDK retries by itself included."""
        with self._free:
            now = self._clock()
            self._count(now, status in SLOWED)
            if status in SLOWED:
                often = self._bad > TOLERATED * (self._good + self._bad)
                if often and (now - self._slowed_at > BURST_SECONDS or self._slowed_at < 0):
                    self.limit = max(1.0, self.limit * SLOWER)
                    self._slowed_at = now
                if often and retry_after:
                    self._not_before = max(self._not_before, now + min(retry_after, LONGEST_WAIT))
            elif status < 400:
                self.limit = min(float(self.most), self.limit + (1.0 if self._slowed_at < 0 else 1.0 / self.limit))
            self._free.notify()

    def _count(self, now: float, complaint: bool) -> None:
        kept = 0.5 ** ((now - self._counted_at) / MEMORY_SECONDS)
        self._counted_at = now
        self._good = self._good * kept + (not complaint)
        self._bad = self._bad * kept + complaint


@cache
def shared_throttle(provider: str, address: str) -> Throttle:
    """The one throttle of this process for a provider: its limits hold for all projects together."""
    return Throttle()
