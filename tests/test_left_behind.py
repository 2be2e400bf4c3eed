"""Nothing that tests started outlives them, also where they are killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from benchmarks.shared.waiting import wait_for
from tests.support.guard import PARENT, RUN, alive

ROOT = Path(__file__).resolve().parents[1]
SUITE = """
import os
import sys
import time
from pathlib import Path

import psutil

from tests.e2e.processes import Process
from tests.support import preloaded

preloaded.LIBRARIES.clear()  # they take ten seconds, and change nothing here

def test_that_takes_long(redis_server, postgres_server, tmp_path):
    program = [sys.executable, "-c", "import time; time.sleep(600)"]
    preloaded.Preloaded(program, os.environ, tmp_path, tmp_path / "log")
    Process("as Label Studio is started", ["sleep", "600"], os.environ, tmp_path / "log")
    started = [process.pid for process in psutil.Process().children(recursive=True)]
    Path(os.environ["STARTED"]).write_text(" ".join(map(str, [*started, postgres_server.pid, os.getpid()])))
    time.sleep(600)
"""


@pytest.mark.parametrize(
    ("victim", "number"),
    [("pytest", signal.SIGKILL), ("pytest", signal.SIGINT), ("make", signal.SIGKILL)],
)
def test_what_a_killed_run_had_started_ends(tmp_path: Path, victim: str, number: int) -> None:
    hearing = signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where this run is in the background
    (tmp_path / "test_long.py").write_text(SUITE)
    note = tmp_path / "started"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", RUN))}
    environment |= {"STARTED": str(note), "PYTHONPATH": str(ROOT)}
    pytest_command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-n", "1", "-q", "test_long.py"]
    make = f'{PARENT}=$$ "$@"; true'
    with (tmp_path / "log").open("wb") as log:
        run = subprocess.Popen(["sh", "-c", make, "sh", *pytest_command], cwd=tmp_path, env=environment, stdout=log)
    try:
        told = wait_for("the tests' processes", lambda: note.exists() and note.read_text(), 240)
        started = [psutil.Process(int(pid)) for pid in told.split()]
        (tests,) = psutil.Process(run.pid).children()
        (tests if victim == "pytest" else psutil.Process(run.pid)).send_signal(number)
        wait_for("the end of all", lambda: not any(map(alive, [tests, *started])), 240)
    finally:
        signal.signal(signal.SIGINT, hearing)
        run.kill()
        run.wait()
