"""The web server as it is really started: gunicorn, one process, threads, no torch before it is needed."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import requests

from backend.web.server import web_command
from benchmarks.shared.waiting import wait_for
from tests.support.configs import CONFIG_A
from tests.support.ports import free_port
from tests.support.web_server import CREATED, annotation_body


@pytest.fixture
def web(tmp_path: Path, redis_url: str) -> Iterator[tuple[str, subprocess.Popen[bytes], Path]]:
    port = free_port()
    environment = {**os.environ, "DATA_DIR": str(tmp_path / "data"), "REDIS_URL": redis_url, "TEACHER": "similarity"}
    environment |= {"OMP_NUM_THREADS": "1", "LABEL_STUDIO_API_KEY": "sk-very-secret-key", "LOG_FORMAT": "json"}
    log = tmp_path / "web.log"
    with log.open("wb") as output:
        command = web_command("127.0.0.1", port)
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(1800):
            assert process.poll() is None, log.read_text()
            try:
                requests.get(f"{url}/health", timeout=5)
                break
            except (requests.ConnectionError, requests.Timeout):  # it listens before it can answer
                time.sleep(0.1)
        yield url, process, log
    finally:
        process.kill()
        process.wait(20)


def test_it_starts_without_torch_answers_and_stops_without_losing_events(
    web: tuple[str, subprocess.Popen[bytes], Path], tmp_path: Path
) -> None:
    url, process, log = web
    assert not any("/torch/" in part.path for part in _maps(process))
    setup = {"project": f"7.{CREATED}", "schema": CONFIG_A, "access_token": "0123456789abcdef0123456789abcdef01234567"}
    answer = requests.post(f"{url}/setup", json=setup, timeout=240)
    assert answer.json()["model_version"].startswith("teacher-")
    bad = requests.post(f"{url}/setup", json={**setup, "schema": "<View/>"}, timeout=240)
    assert (bad.status_code, bad.reason) == (
        422, "the label config has no Choices, Taxonomy, Rating or Pairwise tag with name and toName; add one",
    )  # fmt: skip
    requests.post(f"{url}/setup", json=setup, timeout=240)
    slow = [half_open(url, begun) for begun in [b"", b"POST /webhook HTTP/1.1\r\nHost: localhost\r\n"] * 40]
    assert requests.get(f"{url}/health", timeout=240).status_code == 200  # nobody waits for those who never ask
    for connection in slow:
        connection.close()
    wait_for("an answer to a head in two parts", lambda: in_two_parts(url) == b"HTTP/1.1 200", 240, 0.1)
    many = [annotation_body(number, number, "other") for number in range(1, 501)]
    body = {"action": "ANNOTATIONS_CREATED", "annotation": many, "task": [], "project": {"id": 7}}
    assert requests.post(f"{url}/webhook", json=body, timeout=240).json() == {}
    process.terminate()
    assert process.wait(240) == 0
    text = log.read_text()
    assert "0123456789abcdef" not in text
    assert "very-secret" not in text
    assert "Traceback" not in text
    events = [json.loads(line)["event"] for line in text.splitlines()]  # gunicorn's own lines, too
    assert any(event.startswith("Listening at") for event in events)
    from backend.pool.annotations import human_labels
    from backend.pool.database.engine import open_engine

    engine = open_engine(f"sqlite:///{tmp_path / 'data' / 'pool.sqlite'}")
    assert len(human_labels(engine, 7)) == 500
    engine.dispose()


def half_open(url: str, begun: bytes) -> socket.socket:
    """A connection that begins to ask."""
    host, _, port = url.removeprefix("http://").partition(":")
    connection = socket.create_connection((host, int(port)), timeout=240)
    connection.sendall(begun)
    return connection


def in_two_parts(url: str) -> bytes:
    """How the answer begins; b"" where the second part is not waited for, because too many are waited for already."""
    connection = half_open(url, b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Rest: ")
    with connection, contextlib.suppress(ConnectionError):
        connection.sendall(b"late\r\n\r\n")
        return connection.recv(12)
    return b""


def _maps(process: subprocess.Popen[bytes]) -> list[object]:
    whole = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    return [part for one in whole for part in one.memory_maps()]
