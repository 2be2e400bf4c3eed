"""What docs/operations.md promises: clients that do not finish their request keep nobody from being answered."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from backend.web.gunicorn import PATIENCE_SECONDS
from backend.web.server import THREADS, web_command
from benchmarks.shared.waiting import wait_for
from tests.e2e.processes import Process
from tests.support.configs import CONFIG_A
from tests.support.ports import free_port
from tests.support.servers import RedisServer
from tests.support.web_server import CREATED

LOGIN = ("me", "secret")
SETUP = json.dumps({"project": f"7.{CREATED}", "schema": CONFIG_A}).encode()
LINES = "Host: 127.0.0.1\r\nContent-Type: application/json\r\n"
HALF = {
    "no body": f"POST /setup HTTP/1.1\r\n{LINES}Content-Length: 100000\r\n\r\n",
    "half a body": f"POST /predict HTTP/1.1\r\n{LINES}Content-Length: 100000\r\n\r\n" + "{" * 100,
    "no chunk": f"POST /webhook HTTP/1.1\r\n{LINES}Transfer-Encoding: chunked\r\n\r\n",
    "half a chunk": f"POST /p/7/setup HTTP/1.1\r\n{LINES}Transfer-Encoding: chunked\r\n\r\nffff\r\n{{",
    "asked first": f"POST /setup HTTP/1.1\r\n{LINES}Expect: 100-continue\r\nContent-Length: 100000\r\n\r\n",
    "a page's body": f"GET /projects HTTP/1.1\r\n{LINES}Content-Length: 100000\r\n\r\n",
    "a form": "POST /projects/7/pause HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9999\r\n"
    "Content-Type: application/x-www-form-urlencoded\r\n\r\ntoken=",
    "half a head": f"GET /health HTTP/1.1\r\n{LINES}",
    "half a line": "GET /hea",
    "nothing": "",
}


@contextmanager
def running(folder: Path, redis_url: str, **settings: str) -> Iterator[tuple[str, int]]:
    """A real server: its URL and port."""
    port, log = free_port(), folder / "web.log"
    environment = {**os.environ, "DATA_DIR": str(folder / "data"), "REDIS_URL": redis_url, "TEACHER": "similarity"}
    process = Process("web", web_command("127.0.0.1", port), {**environment, **settings}, log)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"an answer, see {log}", lambda: is_up(process, url), 180, 0.1)
        yield url, port
        assert "Traceback" not in log.read_text()
    finally:
        process.kill()


def is_up(process: Process, url: str) -> bool:
    process.check()
    try:
        return requests.get(f"{url}/health", timeout=5).status_code == 200
    except (requests.ConnectionError, requests.Timeout):
        return False


@pytest.fixture(scope="module")
def open_web(tmp_path_factory: pytest.TempPathFactory, redis_server: RedisServer) -> Iterator[tuple[str, int]]:
    """A server without login, for the tests of this file."""
    with running(tmp_path_factory.mktemp("open"), redis_server.url) as found:
        yield found


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, redis_server: RedisServer) -> Iterator[tuple[str, int]]:
    """One with a login."""
    login = {"BASIC_AUTH_USER": LOGIN[0], "BASIC_AUTH_PASS": LOGIN[1]}
    with running(tmp_path_factory.mktemp("guarded"), redis_server.url, **login) as found:
        yield found


class Clients:
    """Connections that begin to ask; whichever is closed begins anew, until the end."""

    def __init__(self, port: int, begun: str, number: int) -> None:
        self._port, self._begun = port, begun.encode()
        self._stop = threading.Event()
        self.rounds = 0
        self._threads = [threading.Thread(target=self._run) for _ in range(number)]

    def __enter__(self) -> Clients:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            with socket.create_connection(("127.0.0.1", self._port), timeout=240) as connection:
                connection.sendall(self._begun)
                connection.settimeout(0.2)  # how late it may see that it shall stop
                self.rounds += 1
                while not self._stop.is_set():
                    try:
                        if not connection.recv(4096):
                            break
                    except TimeoutError:
                        continue
                    except OSError:
                        break


@pytest.mark.parametrize("kind", HALF)
@pytest.mark.parametrize("server", ["open_web", "guarded"])
def test_others_are_answered_while_many_do_not_finish(server: str, kind: str, request: pytest.FixtureRequest) -> None:
    url, port = request.getfixturevalue(server)
    with Clients(port, HALF[kind], 3 * THREADS) as clients:
        wait_for("all of them to have begun", lambda: clients.rounds >= 3 * THREADS, 240, 0.05)
        for _ in range(2):
            assert requests.get(f"{url}/health", timeout=240).status_code == 200
            answer = requests.post(
                f"{url}/setup", SETUP, headers={"Content-Type": "application/json"}, auth=LOGIN, timeout=240
            )
            assert answer.status_code == 200, answer.reason


def answer_to(port: int, begun: str) -> bytes:
    """All that comes until the server closes the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=120) as connection:
        connection.sendall(begun.encode())
        return b"".join(iter(lambda: connection.recv(4096), b""))


def test_a_body_has_a_deadline_and_the_login_comes_before_it(guarded: tuple[str, int]) -> None:
    kinds = [HALF[kind] for kind in ("no body", "half a body", "no chunk", "half a chunk", "a page's body")]
    late = [begun.replace("Host:", "Authorization: Basic bWU6c2VjcmV0\r\nHost:") for begun in kinds]
    with ThreadPoolExecutor(len(kinds)) as threads:
        strangers = list(threads.map(lambda begun: answer_to(guarded[1], begun), kinds))
        known = list(threads.map(lambda begun: answer_to(guarded[1], begun), late))
    assert all(b"401" in answer.partition(b"\r\n")[0] for answer in strangers)
    expected = b"408 the body of the request did not arrive"
    assert all(expected in answer.partition(b"\r\n")[0] for answer in known)


def test_who_sends_slowly_but_steadily_is_waited_for(open_web: tuple[str, int]) -> None:
    """Longer than the free time of all, in pieces, as over a bad line; a drip that never ends is not."""
    _, port = open_web
    body = SETUP + b" " * 2_000_000
    head = f"POST /setup HTTP/1.1\r\n{LINES}Connection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=120) as connection:
        connection.sendall(head.encode())
        for start in range(0, len(body), 100_000):
            time.sleep(0.05)
            connection.sendall(body[start : start + 100_000])
        assert b"200 OK" in connection.recv(4096)
    with socket.create_connection(("127.0.0.1", port), timeout=240) as connection:
        connection.sendall(head.encode())
        begun = time.monotonic()
        assert b"408" in drip(connection)
        assert time.monotonic() - begun >= PATIENCE_SECONDS / 2  # it was waited for


def drip(connection: socket.socket) -> bytes:
    """Send a byte now and then until there is an answer."""
    connection.settimeout(0.2)
    while True:
        try:
            return connection.recv(4096)
        except TimeoutError:
            connection.sendall(b" ")
