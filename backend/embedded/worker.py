"""The worker that runs the jobs, as a part of the all-in-one command."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from backend.embedded.data_dir import DataDir
from backend.embedded.part import Part


def worker_part(data: DataDir, environment: Mapping[str, str]) -> Part:
    """One worker for all queues. It has no address to ask; that it keeps running is all that can be seen from here."""
    return Part(
        name="Worker",
        command=(sys.executable, "-m", "backend", "worker"),
        environment=environment,
        log=data.path("logs") / "worker.log",
        ready=lambda: True,
    )
