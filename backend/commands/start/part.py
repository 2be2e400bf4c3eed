"""One part of the all-in-one command: a program that runs in a session of its own, so that all of it can be stopped."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))

PR_SET_PDEATHSIG = 1  # linux/prctl.h
KEEP_LOG_BYTES = 10_000_000
POLL_SECONDS = 0.05
KILL_SECONDS = 10.0  # a killed process can hang in the kernel, on a dead disk for example


@dataclass(frozen=True)
class Part:
    """What is started, how it is known to be ready, and how long it may take.

    `ready` is asked until it is true; `ready_seconds` bounds that, `grace_seconds` bounds a polite end. `patience` says
    to people why they wait.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    log: Path
    ready: Callable[[], bool]
    ready_seconds: float = 240.0
    grace_seconds: float = 10.0
    patience: str = "starting"


class Process:
    """A started part."""

    def __init__(self, part: Part) -> None:
        self.part = part
        self.was_ready = False
        _shorten(part.log)
        with part.log.open("ab") as log:
            self._process = subprocess.Popen(
                part.command,
                env=dict(part.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_die_with_parent(),  # noqa: PLW1509 (one system call, no lock)
            )

    @property
    def pid(self) -> int:
        """Process id, which is the id of the session as well."""
        return self._process.pid

    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def check_ready(self) -> bool:
        """Ask once whether it is ready, unless it was before."""
        self.was_ready = self.was_ready or self.part.ready()
        return self.was_ready

    def ask_to_stop(self) -> None:
        """SIGTERM to the part; the whole session gets it if the part itself is gone."""
        if self._process.poll() is None:
            self._process.terminate()
        else:
            _signal(members(self.pid), signal.SIGTERM)

    def wait(self, seconds: float) -> bool:
        """True once nothing of the part is left, False if that takes longer."""
        deadline = time.monotonic() + seconds
        while self._process.poll() is None or members(self.pid):
            if time.monotonic() >= deadline:
                return False
            time.sleep(POLL_SECONDS)
        return True

    def kill(self) -> None:
        """SIGKILL to everything in the part's session, until nothing of it is left."""
        if self._process.poll() is None:
            self._process.kill()
        deadline = time.monotonic() + KILL_SECONDS
        while (left := members(self.pid)) and time.monotonic() < deadline:
            _signal(left, signal.SIGKILL)
            self.wait(POLL_SECONDS)
        self._process.wait()

    def last_words(self) -> str:
        """The last line that the part wrote, for messages."""
        try:
            with self.part.log.open("rb") as log:
                log.seek(max(0, log.seek(0, os.SEEK_END) - 8192))
                lines = [line.strip() for line in log.read().decode(errors="replace").splitlines() if line.strip()]
        except OSError:
            return ""
        return lines[-1][:300] if lines else ""


def members(session: int) -> list[int]:
    """Processes of a session, without those that are only waiting to be reaped."""
    return [pid for pid in psutil.pids() if _session(pid) == session and _alive(pid)]


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except OSError:
        return -1


def _alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def _die_with_parent() -> Callable[[], None] | None:
    """On Linux a part gets SIGTERM when this process dies without a chance to stop it."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)

    def ask() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)

    return ask


def _shorten(log: Path) -> None:
    if log.exists() and log.stat().st_size > KEEP_LOG_BYTES:
        log.replace(log.with_suffix(".old.log"))


def answers(url: str, seconds: float = 2.0) -> bool:
    """True if `url` answers with a 2xx status within `seconds`."""
    try:
        with _OPENER.open(url, timeout=seconds) as response:
            return bool(200 <= response.status < 300)
    except (urllib.error.URLError, OSError, ValueError):
        return False
