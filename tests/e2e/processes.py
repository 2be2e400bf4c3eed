"""Real processes for the end-to-end tests: started with a log file, awaited by a condition, stopped with a reason."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support.preloaded import Preloaded

ROOT = Path(__file__).resolve().parents[2]
STOP_SECONDS = 60


class Process:
    """A running program in a process group of its own, its output in `log`."""

    def __init__(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], log: Path, cwd: Path | None = None
    ) -> None:
        self.name = name
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        self._process = _started(command, environment, log, cwd)

    @property
    def pid(self) -> int:
        """Process id, also of the group."""
        return self._process.pid

    def check(self) -> None:
        """Fail with the end of the log if the program has ended."""
        if self._process.poll() is not None:
            raise AssertionError(f"{self.name} ended with {self._process.returncode}:\n{self.tail()}")

    def tail(self, lines: int = 40) -> str:
        """The last lines of the log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def stop(self) -> None:
        """Ask the program to end (SIGTERM), then kill its whole group, so that nothing is left."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
        self._kill_group()

    def kill(self) -> None:
        """End the whole group at once, as a crash would."""
        self._kill_group()
        self._process.kill()  # it may be too young to lead its group
        self._process.wait(STOP_SECONDS)

    def _kill_group(self) -> None:
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return


def _started(
    command: Sequence[str], environment: Mapping[str, str], log: Path, cwd: Path | None
) -> Preloaded | subprocess.Popen[bytes]:
    """Programs in this Python begin with its libraries imported."""
    if command[0] == sys.executable:
        return Preloaded(command, environment, cwd or Path.cwd(), log)
    with log.open("ab") as output:
        return subprocess.Popen(
            list(command), env=dict(environment), cwd=cwd, stdout=output, stderr=output, start_new_session=True
        )
