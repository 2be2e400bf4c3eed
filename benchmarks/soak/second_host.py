"""Another host's processes beside `make run`: a worker and a web server on the same port, which the kernel shares out.

They have a data folder of their own, as on another machine, and share database, Redis and versions.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from pathlib import Path

from backend.commands.start.console import Console
from backend.commands.start.data_dir import prepare, running_environment
from backend.commands.start.part import Part
from backend.commands.start.supervisor import Supervisor
from backend.commands.start.web import web_part
from backend.commands.start.worker import worker_part

SHARE_PORT = {"GUNICORN_CMD_ARGS": "--reuse-port"}
SHARED = {"MODEL_DIR": "versions", "CACHE_DIR": "cache"}


class SecondHost(threading.Thread):
    """Starts its processes and keeps them alive, as the supervisor of `make run` does with its own."""

    def __init__(self, first: Path, folder: Path) -> None:
        super().__init__(name="second host", daemon=True)
        self._supervisor = Supervisor(Console(), restarts=20)
        self._environment = environment(first, folder)
        self._data = prepare(folder)

    def run(self) -> None:
        """Until `stop`."""
        for part in self._parts():
            self._supervisor.start(part)
        self._supervisor.run()
        self._supervisor.stop()
        self._data.release()

    def _parts(self) -> list[Part]:
        host, port = self._environment["HOST"], int(self._environment["PORT"])
        return [
            worker_part(self._data, self._environment),
            web_part(self._data, host, port, "INFO", self._environment),
        ]

    def stop(self) -> None:
        """Nothing of it is left afterwards."""
        self._supervisor.stopping.set()
        self.join()


def environment(first: Path, folder: Path) -> Mapping[str, str]:
    """What the running instance on `first` announces, with a data folder of its own."""
    shared = {name: str(first / part) for name, part in SHARED.items()}
    return {**os.environ, **shared, **running_environment(first), **SHARE_PORT, "DATA_DIR": str(folder)}
