"""What goes wrong in a soak run, in order: processes are killed, Redis is emptied, Label Studio hangs, people click."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import psutil
import redis

from backend.commands.start.data_dir import running_environment
from benchmarks.shared.annotator import Annotator
from benchmarks.shared.running import Running

HANG_SECONDS = 4.0
ROLES = {"web": "backend.web.wsgi:app", "worker": "-m backend worker", "redis": "redis-server"}


def processes(running: Running) -> dict[str, list[psutil.Process]]:
    """The processes of our `make run` by role; Label Studio's are `label studio`."""
    assert running.process is not None, "only a run of our own is measured"
    return _by_role(psutil.Process(running.process.pid).children(recursive=True))


def processes_beside(running: Running) -> dict[str, list[psutil.Process]]:
    """Those of the second host, if there is one."""
    own = {process.pid for found in processes(running).values() for process in found}
    return _by_role([each for each in psutil.Process().children(recursive=True) if each.pid not in own])


def _by_role(candidates: list[psutil.Process]) -> dict[str, list[psutil.Process]]:
    found: dict[str, list[psutil.Process]] = {role: [] for role in [*ROLES, "label studio"]}
    for process in candidates:
        try:
            words = " ".join(process.cmdline())
        except psutil.Error:
            continue
        role = next((role for role, mark in ROLES.items() if mark in words), None)
        role = "label studio" if "label-studio" in words and "shortlist start" not in words and not role else role
        if role:
            found[role].append(process)
    return found


def memory_mb(running: Running) -> dict[str, float]:
    """Resident memory of web and worker with all their children, MB."""
    total = {"web": 0.0, "worker": 0.0}
    for role, found in processes(running).items():
        for process in found if role in total else ():
            try:
                total[role] += process.memory_info().rss / 1e6
            except psutil.Error:
                continue
    return {role: round(size, 1) for role, size in total.items()}


class Faults(threading.Thread):
    """Does each fault at its time. `log` has what was done and when; an exception of ours ends up in it, too."""

    def __init__(self, running: Running, person: Annotator, project: int, seconds: float, note: Callable[[str], None],
                 spare: list[int], new: list[dict[str, str]]) -> None:  # fmt: skip
        super().__init__(name="faults", daemon=True)
        self._running, self._person, self._project, self._seconds, self._note = running, person, project, seconds, note
        self._spare, self._new = spare, new
        self.failed = ""

    def run(self) -> None:
        """All faults in order."""
        start = time.monotonic()
        for share, what, act in self._plan():
            time.sleep(max(0.0, start + share * self._seconds - time.monotonic()))
            self._note(what)
            try:
                act()
            except Exception as error:  # it belongs into the summary, whatever it is
                self.failed = f"{what}: {type(error).__name__}: {error}"
                self._note(self.failed)

    def _plan(self) -> list[tuple[float, str, Callable[[], object]]]:
        return [
            (0.10, "kill -9 worker", lambda: self._kill("worker")),
            (0.18, "two people press Start training", self._press_twice),
            (0.22, "kill -9 the second host's worker", lambda: self._kill("worker", processes_beside)),
            (0.25, "kill -9 web server", lambda: self._kill("web")),
            (0.29, "kill -9 the second host's web server", lambda: self._kill("web", processes_beside)),
            (0.33, "Redis loses everything", self._empty_redis),
            (0.40, "kill -9 Redis", lambda: self._kill("redis")),
            (0.45, "new tasks are imported", lambda: self._person.import_tasks(self._project, self._new)),
            (0.48, f"Label Studio hangs for {HANG_SECONDS:.0f} s", self._hang),
            (0.52, "tasks are deleted", lambda: self._person.delete_tasks(self._project, self._spare)),
            (0.58, "two people press Start training", self._press_twice),
            (0.60, "kill -9 worker", lambda: self._kill("worker")),
            (0.63, "kill -9 the second host's worker", lambda: self._kill("worker", processes_beside)),
            (0.68, "pause", lambda: self._command("pause")),
            (0.72, "resume", lambda: self._command("resume")),
            (0.80, "kill -9 web server", lambda: self._kill("web")),
            (0.90, "rollback, if two versions were served", lambda: self._command("rollback", allowed=(0, 1))),
        ]

    def _kill(self, role: str, among: Callable[[Running], dict[str, list[psutil.Process]]] = processes) -> None:
        for process in among(self._running)[role]:
            try:
                process.send_signal(signal.SIGKILL)
            except psutil.NoSuchProcess:
                continue

    def _press_twice(self) -> None:
        connection = int(self._person.connections(self._project)[0]["id"])
        presses = [threading.Thread(target=self._person.start_training, args=(connection,)) for _ in range(2)]
        for press in presses:
            press.start()
        for press in presses:
            press.join()

    def _empty_redis(self) -> None:
        url = running_environment(self._running.data_dir)["REDIS_URL"]
        with redis.Redis.from_url(url) as client:
            client.flushall()

    def _hang(self) -> None:
        found = processes(self._running)["label studio"]
        for process in found:
            process.suspend()
        time.sleep(HANG_SECONDS)
        for process in found:
            process.resume()

    def _command(self, name: str, allowed: tuple[int, ...] = (0,)) -> None:
        command = [sys.executable, "-m", "backend", name, str(self._project)]
        environment = {**os.environ, "DATA_DIR": str(self._running.data_dir)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
        self._note(f"shortlist {name}: {(done.stdout + done.stderr).strip()[-200:]}")
        if done.returncode not in allowed:
            raise RuntimeError(f"exit code {done.returncode}")
