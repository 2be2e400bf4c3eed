"""The all-in-one command as people run it: a process of its own, real parts, signals."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import psutil

from tests.support.ports import free_port
from tests.support.preloaded import Preloaded

ROOT = Path(__file__).resolve().parents[2]


class Started:
    """`shortlist start` with its output in a file."""

    def __init__(self, folder: Path, *arguments: str, **environment: str) -> None:
        self.folder, self.data = folder, folder / "data"
        self._arguments, self._environment = arguments, environment
        self.start()

    def start(self) -> None:
        """Begin, or begin again, on a port of its own."""
        self.port = free_port()
        self.output = self.folder / f"output-{time.monotonic_ns()}.txt"
        settings = {"DATA_DIR": str(self.data), "PORT": str(self.port), "PYTHONPATH": str(ROOT), **self._environment}
        command = [sys.executable, "-m", "backend", "start", *self._arguments]
        self.process = Preloaded(command, {**os.environ, **settings}, self.folder, self.output)

    @property
    def label_studio(self) -> str:
        """Where the Label Studio of it is."""
        return f"http://127.0.0.1:{self._environment['LABEL_STUDIO_PORT']}"

    @property
    def said(self) -> str:
        return self.output.read_text() if self.output.exists() else ""

    def until(self, words: str) -> str:
        while words not in self.said:
            assert self.process.poll() is None, self.said
            time.sleep(0.05)
        return self.said

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Send a signal, wait for the end, and check that nothing of it is left."""
        children = self.children()
        self.process.send_signal(number)
        code = self.process.wait()
        assert [child for child in children if alive(child)] == [], self.said
        return code

    def part(self, word: str) -> psutil.Process:
        return next(child for child in self.children() if word in words_of(child))


def words_of(process: psutil.Process) -> list[str]:
    """Its command line, nothing if it has ended meanwhile, as the process of a job does."""
    try:
        return " ".join(process.cmdline()).split()
    except psutil.NoSuchProcess:
        return []


def alive(process: psutil.Process) -> bool:
    """Running, and not only waiting for init to take note of its end."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
