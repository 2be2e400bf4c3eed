"""Ends what tests started, however the run ends: a pytest that is killed can clean up nothing itself.

A watcher, a process in a session of its own, waits for the end of the run. Then it ends what is left of it, and removes
the folder that its processes share.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psutil

RUN = "SHORTLIST_TEST_RUN"  # the folder of the run
PARENT = "END_TESTS_WITH"  # a process whose end is that of the run, too: make's
LOOK_SECONDS = 1.0
PATIENCE_SECONDS = 5.0


def begin() -> None:
    """Called by every process of a run at its start; the first one makes the folder and the watcher."""
    if RUN in os.environ:
        return
    folder = Path(tempfile.mkdtemp(prefix="tests-"))  # a short name: sockets lie in it
    folder.chmod(0o755)  # PostgreSQL runs as another user where the tests run as root
    command = [sys.executable, "-P", __file__, str(folder), str(os.getpid()), os.environ.get(PARENT, "")]
    os.posix_spawn(sys.executable, command, os.environ)  # nobody waits for it
    os.environ[RUN] = str(folder)


def run_folder() -> Path:
    """A folder that all processes of this run share, gone after it; its path is short."""
    return Path(os.environ[RUN])


def _stand_apart() -> None:
    """No terminal, no reader of a pipe and no signal to the others concerns this process."""
    os.setsid()
    with open(os.devnull, "r+b") as nothing:
        for number in (0, 1, 2):
            os.dup2(nothing.fileno(), number)
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)


class Watcher:
    """Knows the processes of a run: what descends from it, and at its end what has its folder in the environment, too.

    Either alone has gaps: who is started a moment before a kill was not seen, and Redis writes over its environment.
    """

    def __init__(self, folder: Path, run: int) -> None:
        self._folder, self._run = folder, run
        self._known: dict[int, psutil.Process] = {}

    def follow(self, parent: psutil.Process | None) -> None:
        """Return when the run is over; it is ended if that parent is gone."""
        while os.getppid() == self._run:
            if parent is not None and not alive(parent):
                os.kill(self._run, signal.SIGTERM)
            self._look(marks=False)
            time.sleep(LOOK_SECONDS)

    def end_all(self) -> None:
        """Ask all that is left to end, then kill it; remove the folder."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            deadline = time.monotonic() + PATIENCE_SECONDS
            while self._send(number) and time.monotonic() < deadline:
                time.sleep(LOOK_SECONDS / 4)
        shutil.rmtree(self._folder, ignore_errors=True)  # of another user, or growing still: nobody is left to be told

    def _look(self, marks: bool) -> None:
        self._known = {pid: process for pid, process in self._known.items() if alive(process)}
        for process in psutil.process_iter():
            if process.pid in self._known or process.pid == os.getpid():
                continue
            with suppress(psutil.Error, OSError):  # it has ended, or is not ours
                if process.ppid() in {self._run, *self._known} or (marks and self._is_marked(process)):
                    self._known[process.pid] = process

    def _is_marked(self, process: psutil.Process) -> bool:
        return process.environ().get(RUN) == str(self._folder)

    def _send(self, number: int) -> int:
        """Send a signal to all of the run; how many there are."""
        self._look(marks=True)
        for process in self._known.values():
            with suppress(psutil.Error):
                process.send_signal(number)
        return len(self._known)


def alive(process: psutil.Process) -> bool:
    """Running, and not only waiting for somebody to take note of its end."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


if __name__ == "__main__":
    _stand_apart()
    given, run_pid, parent_pid = sys.argv[1:]
    watcher = Watcher(Path(given), int(run_pid))
    watcher.follow(psutil.Process(int(parent_pid)) if parent_pid else None)
    watcher.end_all()
