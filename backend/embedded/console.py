"""What `shortlist start` says to the person in front of it: lines, and one line of progress that moves."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from typing import TextIO

QUIET_SECONDS = 5.0  # how often progress is repeated where a line cannot be rewritten


class Console:
    """Writes lines to a stream. On a terminal progress rewrites one line; elsewhere it is a line now and then.

    Several threads may write.
    """

    def __init__(self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream or sys.stdout
        self._clock = clock
        self._lock = threading.Lock()
        self._moving = False
        self._gone = False
        self._last = ("", float("-inf"))

    def say(self, message: str) -> None:
        """One line that stays."""
        with self._lock:
            self._clear()
            self._write(message + "\n")

    def progress(self, message: str) -> None:
        """How far something is; replaced by whatever comes next."""
        with self._lock:
            if self._stream.isatty():
                self._clear()
                self._write(message)
                self._moving = True
            elif message != self._last[0] and self._clock() - self._last[1] >= QUIET_SECONDS:
                self._write(message + "\n")
                self._last = (message, self._clock())

    def _clear(self) -> None:
        if self._moving:
            self._write("\r\x1b[2K")
            self._moving = False

    def _write(self, text: str) -> None:
        """Write, unless the reader is gone: a closed terminal or pipe must not keep the parts from being stopped."""
        if self._gone:
            return
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):
            self._gone = True
