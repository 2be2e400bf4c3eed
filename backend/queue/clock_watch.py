"""Notices when somebody sets this machine's clock, by comparing it with one that cannot be set."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock

SMALLEST_SECONDS = 30.0  # a smaller step disturbs nothing


@dataclass(frozen=True)
class Jump:
    """By how many seconds the clock was set, negative for back, and what it said when that was noticed (UTC, epoch)."""

    seconds: float
    noticed: float

    def __str__(self) -> str:
        way = "forward" if self.seconds > 0 else "back"
        when = datetime.fromtimestamp(self.noticed, UTC).strftime("%Y-%m-%d %H:%M UTC")
        return f"went {way} by {span(abs(self.seconds))} (noticed at {when})"


class ClockWatch:
    """Looks whenever it is asked. A machine that slept looks as if its clock had been set forward."""

    def __init__(self, wall: Callable[[], float] = time.time, steady: Callable[[], float] = time.monotonic) -> None:
        self._wall, self._steady, self._lock = wall, steady, Lock()
        self._offset = wall() - steady()

    def look(self) -> Jump | None:
        """The jump since the last look, None if there was none."""
        with self._lock:
            wall, steady = self._wall(), self._steady()
            seconds = wall - steady - self._offset
            if abs(seconds) < SMALLEST_SECONDS:
                return None
            self._offset += seconds
            return Jump(seconds, wall)


def span(seconds: float) -> str:
    """A time span in hours and minutes."""
    minutes = round(seconds / 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
