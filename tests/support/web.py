"""Web servers of a world, as they are really started: one process each, killed and started again at will."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from backend.web.server import web_command
from benchmarks.shared.waiting import wait_for
from tests.e2e.processes import Process
from tests.support.label_studio_double import CONFIG
from tests.support.ports import free_port
from tests.support.world import CREATED, World

START_SECONDS = 180


class Web:
    """One web process of a world; `environment` changes its settings."""

    def __init__(self, world: World, **environment: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = Path(world.folder) / f"web-{self.port}.log"
        self._environment = {"TEACHER": "similarity", **world.environment(**environment)}
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.headers["Connection"] = "close"  # one that is kept is closed after 5 s, perhaps under a request
        self.process = self._start()

    def _start(self) -> Process:
        return Process("web", web_command("127.0.0.1", self.port), self._environment, self.log)

    def await_answer(self, path: str = "/health", status: int = 200) -> requests.Response:
        """The first answer with this status."""

        def answer() -> requests.Response | None:
            self.process.check()
            try:
                found = self.http.get(self.url + path, timeout=240)
            except (requests.ConnectionError, requests.Timeout):  # it listens before it can answer
                return None
            return found if found.status_code == status else None

        # an answer of 4xx or 5xx is false: a pair with it is not
        return wait_for(f"{status} on {path}, see {self.log}", lambda: _pair(answer()), START_SECONDS, 0.05)[1]

    def kill(self) -> None:
        """As a crash would: kill -9 of everything."""
        self.process.kill()

    def start_again(self) -> None:
        """After a kill, on the same port."""
        self.process = self._start()
        self.await_answer()

    def stop(self) -> None:
        """Politely."""
        self.http.close()
        self.process.stop()

    def version(self) -> str:
        """What /setup answers."""
        body = {"project": f"7.{CREATED}", "schema": CONFIG}
        answer = self.http.post(f"{self.url}/setup", json=body, timeout=240)
        assert answer.status_code == 200, answer.reason
        return str(answer.json()["model_version"])

    def predict(self, texts: dict[int, str]) -> list[Any]:
        """The entries of /predict."""
        rows = [{"id": task, "data": {"text": text}} for task, text in texts.items()]
        body = {"project": f"7.{CREATED}", "label_config": CONFIG, "tasks": rows}
        answer = self.http.post(f"{self.url}/predict", json=body, timeout=240)
        assert answer.status_code == 200, answer.text
        return list(answer.json()["results"])

    def status(self) -> dict[str, Any]:
        """The status as JSON."""
        return dict(self.http.get(f"{self.url}/projects/7.json", timeout=240).json())


@contextmanager
def web(world: World, **environment: str) -> Iterator[Web]:
    """A running web process."""
    server = Web(world, **environment)
    try:
        server.await_answer()
        yield server
    finally:
        server.stop()


def _pair(answer: requests.Response | None) -> tuple[int, requests.Response] | None:
    return None if answer is None else (answer.status_code, answer)


def post_all(port: int, bodies: Sequence[bytes]) -> list[int]:
    """Send webhooks one after the other on one connection; the status of each, 0 where there was no answer."""
    found = []
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=240)
    for body in bodies:
        try:
            connection.request("POST", "/webhook", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            found.append(answer.status)
        except (OSError, http.client.HTTPException):
            connection.close()
            found.append(0)
    connection.close()
    return found


def event(row: dict[str, Any], task: dict[str, Any], action: str = "ANNOTATION_CREATED") -> bytes:
    """What Label Studio sends about an annotation."""
    told = {"id": task["id"], "data": task["data"]}
    body = {"action": action, "project": {"id": 7}, "annotation": {**row, "task": task["id"]}, "task": told}
    return json.dumps(body).encode()
