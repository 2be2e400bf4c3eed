"""What `shortlist start` says: to people in lines and one line of progress that moves, to programs as JSON lines."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
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

    def announce(self, lines: Sequence[str], facts: Mapping[str, object]) -> None:
        """Everything runs: lines for people, facts for programs."""
        del facts
        for line in lines:
            self.say(line)

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


class JsonConsole(Console):
    """One JSON object per line: `time` (UTC), `event` (message, progress, or ready with its facts)."""

    def say(self, message: str) -> None:
        """One event; empty lines, which only part others, are none."""
        if message:
            self._event("message", {"message": message})

    def progress(self, message: str) -> None:
        """As seldom as on a stream that is no terminal."""
        with self._lock:
            due = message != self._last[0] and self._clock() - self._last[1] >= QUIET_SECONDS
            self._last = (message, self._clock()) if due else self._last
        if due:
            self._event("progress", {"message": message})

    def announce(self, lines: Sequence[str], facts: Mapping[str, object]) -> None:
        """The facts; the lines say the same to people."""
        del lines
        self._event("ready", facts)

    def _event(self, event: str, facts: Mapping[str, object]) -> None:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        with self._lock:
            self._write(json.dumps({"time": now, "event": event, **facts}, ensure_ascii=False) + "\n")
