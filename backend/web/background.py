"""Work that must not hold up an answer: one thread, in order."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from threading import BoundedSemaphore

import structlog

log = structlog.get_logger(__name__)

LONGEST_QUEUE = 20_000  # pieces of work; more are refused, logged, and found again by the next reconcile


class Background:
    """Does pieces of work one after the other. A piece that fails is logged with an error id and never repeated."""

    def __init__(self, longest: int = LONGEST_QUEUE) -> None:
        self._room = BoundedSemaphore(longest)
        self._threads = ThreadPoolExecutor(1, "background")

    def do(self, what: str, work: Callable[[], object], wait_seconds: float = 0.0) -> bool:
        """Start a piece of work and wait for it at most so long; whether it was finished by then."""
        if not self._room.acquire(blocking=False):
            log.error("work refused, the queue is full", what=what)
            return False
        future = self._threads.submit(self._run, what, work)
        return wait_seconds > 0 and _finished(future, wait_seconds)

    def always(self, what: str, work: Callable[[], object]) -> None:
        """As `do`, however much waits, for whoever waits with one piece at a time. RuntimeError after `close`."""
        self._threads.submit(_logged, what, work)

    def drain(self, seconds: float = 60.0) -> None:
        """Wait until everything that was started so far is done; TimeoutError if it takes longer."""
        self._threads.submit(lambda: None).result(seconds)

    def close(self) -> None:
        """Finish what was started and stop the thread."""
        self._threads.shutdown(wait=True)

    def _run(self, what: str, work: Callable[[], object]) -> None:
        try:
            _logged(what, work)
        finally:
            self._room.release()


def _logged(what: str, work: Callable[[], object]) -> None:
    try:
        work()
    except Exception:
        log.exception("background work failed", what=what, error_id=uuid.uuid4().hex[:12])


def _finished(future: Future[None], seconds: float) -> bool:
    try:
        future.result(seconds)
    except NotYet:
        return False
    return True
