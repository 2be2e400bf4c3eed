"""What `make run` makes people wait for: the first shortlist after connecting, and the address at the second start."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

from backend.commands.start.ports import free_port
from benchmarks.speed.rows import Row, row
from benchmarks.speed.web import HOST, scratch

PATIENCE_SECONDS = 600.0
CONNECTED, FIRST = "Connected project", ("First shortlists", "Pre-annotated:")
READY = ": ready after"


def starting_rows(rounds: int) -> tuple[list[Row], dict[str, float]]:
    """Seconds of a first start to the first shortlist, of `rounds` further ones to the address, and what they wait
    for."""
    with scratch() as folder:
        said = _start(folder)
        connected, first = (next(when for when, text in said if text.startswith(what)) for what in (CONNECTED, FIRST))
        rows = [row("connected to the first shortlists", "first start", first - connected, "s")]
        for turn in range(rounds):
            said = _start(folder)
            rows += [row(text.partition(READY)[0], "further start", when, "s", turn)
                     for when, text in said if READY in text]  # fmt: skip
            rows.append(row("address", "further start", said[-1][0], "s", turn))
    return rows, {
        "first_shortlist_seconds": rows[0]["value"],
        "restart_seconds": median(one["value"] for one in rows if one["what"] == "address"),
    }


def _start(folder: Path) -> list[tuple[float, str]]:
    """(seconds since the start, what was said) up to the address, of one start on the folder."""
    started, said = time.time(), []
    with _running(folder) as process:
        assert process.stdout is not None, "it is a pipe"
        for line in process.stdout:
            event = json.loads(line)
            when = datetime.fromisoformat(event["time"]).timestamp() - started
            said.append((when, str(event.get("message", event["event"]))))
            if event["event"] == "ready":
                return said
            if when > PATIENCE_SECONDS:
                break
    raise RuntimeError(f"shortlist start did not get ready: {said[-5:]}")


@contextmanager
def _running(folder: Path) -> Iterator[subprocess.Popen[str]]:
    ports = {"--port": str(free_port(HOST)), "--label-studio-port": str(free_port(HOST))}
    where = {"--data-dir": str(folder / "data"), **ports}
    command = [sys.executable, "-m", "backend", "start", "--with-label-studio", "--json"]
    command += [part for option in where.items() for part in option]
    environment: dict[str, Any] = {**os.environ, "PYTHONPATH": os.getcwd()}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate()  # what it still says
