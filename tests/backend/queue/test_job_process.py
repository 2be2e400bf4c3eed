"""Where a process with threads must not be forked, on a Mac, the worker starts its jobs and its scheduler anew."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

import psutil
import pytest

from backend.pool import jobs
from backend.queue import worker
from benchmarks.shared.waiting import wait_for
from tests.support.world import World

FORKED_LOOKS = 40  # of 0.05 s each: a forked scheduler would be seen for as long as the worker lives
MAC = "import backend.queue.worker as worker; worker.SPAWNS = True; from backend.cli import main; main()"


@pytest.mark.parametrize(("platform", "spawns"), [("darwin", "True"), ("linux", "False")])
def test_the_system_says_which_way(platform: str, spawns: str) -> None:
    program = "import importlib, sys, backend.queue.worker as worker; "
    program += f"sys.platform = {platform!r}; importlib.reload(worker); print(worker.SPAWNS)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == spawns, done.stderr


def test_jobs_and_scheduler_run_in_processes_that_are_started_anew(world: World) -> None:
    world.services.queue.enqueue("sync", 7, 1)  # the scheduler brings it
    log = world.folder / "worker.log"
    command = [sys.executable, "-c", MAC, "worker", "publish"]
    seen: dict[int, str] = {}
    looks: Counter[int] = Counter()  # at a child that shows its parent's line, as any does until its program is loaded
    with log.open("wb") as sink:
        process = subprocess.Popen(command, env=world.environment(), cwd=world.folder, stdout=sink, stderr=sink)
    parent = psutil.Process(process.pid)

    def done() -> bool:
        assert process.poll() is None, log.read_text()
        for child in parent.children():
            try:
                line = child.cmdline()
            except psutil.NoSuchProcess:  # it went between the two questions
                continue
            if line == command:
                looks[child.pid] += 1
            else:
                seen[child.pid] = " ".join(line)
        row = jobs.get(world.engine, 7).get("sync")
        return row is not None and row.state == "idle"

    try:
        wait_for("the sync job", done, 300, 0.05)
    finally:
        process.terminate()
        process.wait(60)
    kinds = {"job" if "backend.queue.job_process" in line else "spawned" for line in seen.values() if line}
    assert kinds == {"job", "spawned"}
    assert max(looks.values(), default=0) < FORKED_LOOKS
    assert all("spawn_main" in line or "job_process" in line or "tracker" in line for line in seen.values() if line)
    assert "job done" in log.read_text()
    assert not worker.SPAWNS or sys.platform == "darwin"
    assert not [child for child in psutil.process_iter() if child.pid in seen and child.ppid() == process.pid]
