"""Processes that the speed of serving is measured on: Redis, the web server as it is really started, and a worker."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from backend.commands.start.ports import free_port
from backend.commands.start.redis import find_server
from backend.projects.updates import remember
from backend.services import Services, open_services
from backend.settings import Settings, load_settings
from backend.web.server import web_command

HOST = "127.0.0.1"
PROJECT, CREATED = 7, "1795239698"
PATIENCE_SECONDS = 90.0
RESTING_SECONDS = 0.2  # of processor time in three seconds
IDLE_SECONDS = 2.0  # less than the server's own patience with a connection
PASSED_ON = (
    "DATA_DIR",
    "REDIS_URL",
    "TEACHER",
    "PREDICT_SECONDS",
    "RETRAIN_AFTER",
    "RETRAIN_IDLE_SECONDS",
    "LOG_LEVEL",
)
LABELS = ("billing", "refund", "shipping", "other")
CONFIG = (
    '<View><Text name="text" value="$text"/>'
    '<Choices name="label" toName="text" choice="multiple" answer="one" required="true">'
    + "".join(f'<Choice value="{label}"/>' for label in LABELS)
    + "</Choices></View>"
)


class Client:
    """One keep-alive connection; bodies are made beforehand, so that mostly the server is measured."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection(HOST, port, timeout=PATIENCE_SECONDS)
        self._used = 0.0

    def post(self, path: str, body: bytes) -> bytes:
        """The answer's body; RuntimeError if it is not 200."""
        if time.monotonic() - self._used > IDLE_SECONDS:
            self._connection.close()  # the server is about to do so, or has; the next request connects anew
        self._connection.request("POST", path, body, {"Content-Type": "application/json"})
        answer = self._connection.getresponse()
        self._used = time.monotonic()
        content = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path} answered {answer.status}: {content[:200]!r}")
        return content

    def seconds(self, path: str, body: bytes, requests: int) -> float:
        """Wall-clock seconds of so many requests, one after the other."""
        started = time.perf_counter()
        for _ in range(requests):
            self.post(path, body)
        return time.perf_counter() - started

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class Process:
    """A server in a process of its own with its children; its output goes to a file."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self.log, self.ready_seconds = log, 0.0
        self.started = time.monotonic()
        with log.open("ab") as output:
            self._process = subprocess.Popen(command, env=dict(environment), stdout=output, stderr=output)

    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def members(self) -> list[psutil.Process]:
        """The process and all below it."""
        whole = psutil.Process(self._process.pid)
        return [whole, *whole.children(recursive=True)]

    def cpu_seconds(self) -> float:
        """Processor time used so far by all members and by children that have ended."""
        return sum(sum(one.cpu_times()[:4]) for one in self.members())

    def rss_mb(self) -> float:
        """Resident memory of the largest member, MB of 10^6 bytes."""
        sizes = [0.0]
        for one in self.members():
            with suppress(psutil.NoSuchProcess):  # it has just ended
                sizes.append(float(one.memory_info().rss))
        return max(sizes) / 1e6

    def stop(self) -> None:
        """Ask to end, then kill; nothing is left."""
        members = self.members() if self.alive() else []
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for one in members[1:]:
            if one.is_running():
                one.kill()


def settings_for(folder: Path, redis_url: str = "", **more: Any) -> Settings:
    """Settings of a Shortlist whose data is in `folder`, without Label Studio."""
    return load_settings(_env_file=None, DATA_DIR=folder, REDIS_URL=redis_url, **more)


def environment_of(settings: Settings, **more: str) -> dict[str, str]:
    """The environment of a process with these settings."""
    own = {name: str(getattr(settings, name)) for name in PASSED_ON}
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return {**os.environ, "PYTHONPATH": os.getcwd(), "LABEL_STUDIO_URL": "", **threads, **own, **more}


@contextmanager
def pool(settings: Settings) -> Iterator[Services]:
    """The pool of these settings with one connected project."""
    services = open_services(settings)
    remember(services, PROJECT, CREATED, CONFIG, title="speed")
    try:
        yield services
    finally:
        services.engine.dispose()


@contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """A Redis of our own; its URL."""
    port = free_port(HOST)
    command = [find_server(), "--port", str(port), "--bind", HOST, "--dir", str(folder), "--save", ""]
    process = Process(command, os.environ, folder / "redis.log")
    time.sleep(0.3)
    try:
        yield f"redis://{HOST}:{port}/0"
    finally:
        process.stop()


@contextmanager
def web_server(app: str, environment: Mapping[str, str], folder: Path, port: int = 0) -> Iterator[tuple[Process, int]]:
    """gunicorn with our options and `app`, ready; the process and its port, a free one unless given."""
    port = port or free_port(HOST)
    command = [*web_command(HOST, port, "WARNING")[:-1], app]
    process = Process(command, environment, folder / f"{app.partition(':')[0]}.log")
    try:
        await_health(process, port)
        yield process, port
    finally:
        process.stop()


@contextmanager
def worker(environment: Mapping[str, str], folder: Path) -> Iterator[Process]:
    """`shortlist worker`."""
    process = Process([sys.executable, "-m", "backend", "worker"], environment, folder / "worker.log")
    try:
        yield process
    finally:
        process.stop()


def await_health(process: Process, port: int) -> None:
    """Wait for the first answer of /health; RuntimeError with the log's end if it does not come."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end and process.alive():
        connection = http.client.HTTPConnection(HOST, port, timeout=5)
        try:
            connection.request("GET", "/health")
            if connection.getresponse().status == 200:
                process.ready_seconds = time.monotonic() - process.started
                return
        except OSError:
            time.sleep(0.02)
        finally:
            connection.close()
    raise RuntimeError(f"the server did not start: {process.log.read_text()[-2000:]}")


def await_rest(process: Process) -> None:
    """Wait until a server that has just started has loaded what it wants to have ready."""
    end, before = time.monotonic() + PATIENCE_SECONDS, -1.0
    while time.monotonic() < end and process.cpu_seconds() - before > RESTING_SECONDS:
        before = process.cpu_seconds()
        time.sleep(3.0)  # longer than a server pauses between two things that it loads


def setup_body() -> bytes:
    """What /setup is sent."""
    body = {"project": f"{PROJECT}.{CREATED}", "schema": CONFIG, "hostname": "http://127.0.0.1:8080",
            "access_token": "0123456789abcdef0123456789abcdef01234567", "extra_params": None}  # fmt: skip
    return json.dumps(body).encode()


def predict_body(texts: Mapping[int, str]) -> bytes:
    """What /predict is sent for these tasks, with the keys of a real request."""
    tasks: list[dict[str, Any]] = [
        {"id": task, "inner_id": task, "project": PROJECT, "data": {"text": text, "ref": 0}, "meta": {},
         "annotations": [], "predictions": [], "is_labeled": False, "overlap": 1, "total_annotations": 0,
         "total_predictions": 0, "cancelled_annotations": 0, "comment_count": 0, "unresolved_comment_count": 0,
         "file_upload": None, "last_comment_updated_at": None, "created_at": "2026-11-21T05:41:38.567581Z",
         "updated_at": "2026-11-21T05:41:38.567600Z", "updated_by": None, "comment_authors": []}
        for task, text in texts.items()
    ]  # fmt: skip
    params = {"login": None, "password": None, "context": None}
    body = {"project": f"{PROJECT}.{CREATED}", "label_config": CONFIG, "params": params, "tasks": tasks}
    return json.dumps(body).encode()


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder that is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="shortlist-speed-") as folder:
        yield Path(folder)
