"""Starts the parts, restarts one that dies, stops all of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from backend.commands.start.console import Console
from backend.commands.start.part import Part, Process
from backend.errors import StartError

log = structlog.get_logger(__name__)

RESTARTS = 5  # a part may die this often ...
WINDOW_SECONDS = 600.0  # ... within this time
FIRST_PAUSE_SECONDS = 1.0  # before the first restart; doubled each time
TICK_SECONDS = 0.2
ASK_AGAIN_SECONDS = 2.0  # a worker in the middle of a job leaves it at the second request only


@dataclass
class _Watch:
    """A part with its present process and its history of deaths."""

    process: Process | None
    part: Part
    deaths: list[float] = field(default_factory=list)
    again_at: float = 0.0


class Supervisor:
    """Keeps parts alive until it is told to stop. `start`, `run` and `stop` belong to one thread."""

    def __init__(
        self,
        console: Console,
        *,
        restarts: int = RESTARTS,
        first_pause: float = FIRST_PAUSE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._console = console
        self._restarts = restarts
        self._first_pause = first_pause
        self._clock = clock
        self._watches: dict[str, _Watch] = {}
        self.stopping = threading.Event()

    def start(self, part: Part) -> None:
        """Start a part without waiting for it; StartError if its program cannot run."""
        try:
            self._watches[part.name] = _Watch(Process(part), part)
        except OSError as error:
            raise StartError(f"{part.name} cannot start: {error}") from None

    def wait_ready(self, name: str) -> None:
        """Wait, with visible progress, until a part answers; StartError if it dies first or takes too long.

        Returns early when the supervisor is asked to stop.
        """
        watch = self._watches[name]
        part, process = watch.part, watch.process
        assert process is not None
        started = self._clock()
        while not process.check_ready():
            if process.exit_code() is not None:
                raise StartError(_obituary(process, "did not start"))
            waited = self._clock() - started
            if waited > part.ready_seconds:
                raise StartError(f"{name} did not answer within {part.ready_seconds:.0f} s; see {part.log}")
            if self.stopping.wait(TICK_SECONDS):
                return
            if waited > 2:
                self._console.progress(f"{name}: {part.patience}, {waited:.0f} s")
        self._console.say(f"{name}: ready after {self._clock() - started:.0f} s")

    def run(self, work: Callable[[], None] = lambda: None) -> None:
        """Watch the parts until `stopping` is set, and do `work` beside it in a thread.

        Raises StartError if a part dies too often, and whatever `work` raised.
        """
        failure: list[BaseException] = []

        def guarded() -> None:
            try:
                work()
            except BaseException as error:  # it belongs to the thread that watches
                failure.append(error)

        threading.Thread(target=guarded, name="setup", daemon=True).start()
        while not self.stopping.wait(TICK_SECONDS):
            if failure:
                raise failure[0]
            self.check()

    def check(self) -> None:
        """Look at every part once: note deaths, restart what is due."""
        for name, watch in self._watches.items():
            if watch.process is None:
                if self._clock() >= watch.again_at:
                    watch.process = Process(watch.part)
                    self._console.say(f"{name}: started again")
            elif watch.process.exit_code() is not None:
                self._bury(name, watch, watch.process)

    def _bury(self, name: str, watch: _Watch, process: Process) -> None:
        now = self._clock()
        process.kill()
        watch.deaths = [*(when for when in watch.deaths if now - when < WINDOW_SECONDS), now]
        if len(watch.deaths) > self._restarts:
            raise StartError(_obituary(process, f"stopped {len(watch.deaths)} times in a row; it is not started again"))
        pause = self._first_pause * 2 ** (len(watch.deaths) - 1)
        watch.process, watch.again_at = None, now + pause
        log.warning("part stopped", part=name, exit_code=process.exit_code(), again_in_seconds=pause)
        counted = f"{len(watch.deaths)} of {self._restarts}"
        self._console.say(_obituary(process, f"stopped; starting it again in {pause:g} s ({counted})"))

    def stop(self) -> None:
        """Stop all parts, the one started first at last; nothing of them is left afterwards."""
        self.stopping.set()
        running = [watch.process for watch in self._watches.values() if watch.process is not None]
        for group in (running[1:], running[:1]):
            _stop_together(group)
        self._watches.clear()


def _stop_together(processes: list[Process]) -> None:
    for process in processes:
        process.ask_to_stop()
    asked = time.monotonic()
    for process in processes:
        if process.wait(max(0.0, asked + ASK_AGAIN_SECONDS - time.monotonic())):
            continue
        process.ask_to_stop()
        if not process.wait(max(0.0, asked + process.part.grace_seconds - time.monotonic())):
            process.kill()


def _obituary(process: Process, what: str) -> str:
    words = process.last_words()
    said = f" Its last words: {words}" if words else ""
    return f"{process.part.name} {what} (exit code {process.exit_code()}, log {process.part.log}).{said}"
