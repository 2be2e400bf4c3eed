"""The adapter for the official framework, in the release of PyPI, in an environment of its own."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from backend.pool import jobs
from tests.support.configs import CONFIG_A
from tests.support.folders import kept
from tests.support.ports import free_port
from tests.support.web_server import CREATED, Server, annotation_body, task_body

ROOT = Path(__file__).resolve().parents[3]
LOCK = ROOT / "requirements-label-studio-ml.txt"
PROGRAM = """
import sys
from label_studio_ml.api import init_app
from model import ShortlistModel
init_app(ShortlistModel, model_dir=sys.argv[2]).run("127.0.0.1", int(sys.argv[1]))
"""


@pytest.fixture(scope="session")
def framework() -> Path:
    """Python of an environment with the official framework, made once per machine."""
    folder = kept() / f"label-studio-ml-{hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]}"
    python, ready = folder / "bin" / "python", folder / "ready"
    if not ready.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True, timeout=600)
        command = [str(python), "-m", "pip", "install", "-q", "--no-deps", "-r", str(LOCK)]
        try:
            subprocess.run(command, capture_output=True, text=True, check=True, timeout=280)
        except subprocess.SubprocessError as error:
            reason = str(getattr(error, "stderr", None) or error)[-300:]
            pytest.skip(f"NOT TESTED, the official framework cannot be installed here: {reason}")
        ready.touch()
    return python


@pytest.fixture
def official(framework: Path, server: Server, tmp_path: Path) -> Iterator[httpx.Client]:
    """`label-studio-ml` with our model class, in front of a Shortlist."""
    (tmp_path / "model.py").write_bytes((ROOT / "backend" / "web" / "label_studio_ml.py").read_bytes())
    (tmp_path / "run.py").write_text(PROGRAM)
    port = free_port()
    command = [str(framework), "run.py", str(port), str(tmp_path / "models")]
    environment = {**os.environ, "SHORTLIST_URL": server.url, "HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": ""}
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=log, stderr=log)
    client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=240, trust_env=False)
    try:
        yield _ready(client, process, tmp_path / "log")
    finally:
        client.close()
        process.terminate()
        process.wait(240)


def _ready(client: httpx.Client, process: subprocess.Popen[bytes], log: Path) -> httpx.Client:
    for _ in range(1800):
        assert process.poll() is None, log.read_text()
        try:
            client.get("/health")
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return client
    raise AssertionError(log.read_text())


def test_the_official_framework_serves_our_predictions_and_hands_on_events(
    official: httpx.Client, server: Server
) -> None:
    version = server.version()
    server.answered({1: "text 1"}, ["refund", "billing"])
    project = f"7.{CREATED}"
    assert official.post("/setup", json={"project": project, "schema": CONFIG_A}).status_code == 200
    body = {"tasks": [task_body(1, "text 1")], "project": project, "label_config": CONFIG_A, "params": {}}
    (entry,) = official.post("/predict", json=body).json()["results"]
    assert entry["model_version"] == version
    assert entry["result"][0]["value"]["choices"] == ["refund", "billing"]

    event = {"project": {"id": 7, "title": "tickets"}, "action": "ANNOTATION_CREATED"}
    event |= {"annotation": annotation_body(1, 1, "refund"), "task": {"id": 1, "data": {"text": "text 1"}}}
    assert official.post("/webhook", json=event).status_code == 201
    official.post("/webhook", json={"project": {"id": 7, "label_config": CONFIG_A}, "action": "START_TRAINING"})
    for _ in range(1200):
        status = server.get("/projects/7.json").json()
        if status["human_labels"] == 1 and "train" in jobs.get(server.services.engine, 7):
            return
        time.sleep(0.1)
    raise AssertionError(status)
