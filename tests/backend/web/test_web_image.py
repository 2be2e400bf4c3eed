"""What is in the web image is enough to serve a student: every package outside its lock is refused to the process."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import requests
from packaging.utils import canonicalize_name

from backend.pool import projects, versions
from backend.services import open_services
from backend.settings import load_settings
from backend.web.server import web_command
from model.encoder.export import share_encoder
from model.labels import LabelSpace
from model.registry import Registry
from model.student.head import HeadStudent
from tests.support.configs import CONFIG_A
from tests.support.ports import free_port
from tests.support.toys import tiny_transformer
from tests.support.web_server import CREATED, task_body

ROOT = Path(__file__).resolve().parents[3]
SITE = """
import importlib.abc, json, os, sys
REFUSED = set(json.loads(os.environ["REFUSED"]))
class Refuse(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in REFUSED:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Refuse())
"""


def outside() -> list[str]:
    """Top-level modules of this environment that no package of the web image brings."""
    lock = (ROOT / "requirements-web.txt").read_text()
    inside = {canonicalize_name(name) for name in re.findall(r"^([A-Za-z0-9_.-]+)==", lock, re.MULTILINE)}
    brought = importlib.metadata.packages_distributions()
    ours = {"backend", "model"}
    return sorted(
        module
        for module, packages in brought.items()
        if module not in ours and not any(canonicalize_name(package) in inside for package in packages)
    )


def test_a_student_is_served_by_what_the_web_image_holds(tmp_path: Path, redis_url: str) -> None:
    refused = outside()
    assert {"torch", "transformers", "sklearn", "pyarrow"} <= set(refused)
    (tmp_path / "tiny").mkdir()
    encoder = tiny_transformer(tmp_path / "tiny", ["charged", "twice", "money", "back"])
    given = {"DATA_DIR": str(tmp_path / "data"), "REDIS_URL": redis_url, "STUDENT_ENCODER": encoder, "BLIND_SHARE": "0"}
    settings = load_settings(_env_file=None, **given)
    version, student = _trained(settings, encoder)
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(SITE)
    environment = {**os.environ, **given, "REFUSED": json.dumps(refused), "PYTHONPATH": f"{tmp_path / 'site'}:{ROOT}"}
    port, log = free_port(), tmp_path / "web.log"
    with log.open("wb") as output:
        process = subprocess.Popen(web_command("127.0.0.1", port), env=environment, stdout=output, stderr=output)
    try:
        answer = _first_answer(f"http://127.0.0.1:{port}", process, log)
    finally:
        process.kill()
        process.wait(20)
    best = student.probabilities(["charged twice"])[0]
    assert answer["model_version"] == version
    assert answer["result"][0]["value"]["choices"] == [student.space.names[int(best.argmax())]]
    assert abs(answer["score"] - float(best.max())) < 1e-3
    export = [sys.executable, "-m", "backend", "export", "7", str(tmp_path / "taken"), "--student"]
    done = subprocess.run(export, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.strip()[:39]) == (1, "shortlist: this needs the package torch")


def _trained(settings: Any, encoder: str) -> tuple[str, HeadStudent]:
    """What a worker leaves behind: a promoted student, and its encoder in the form that needs no torch."""
    services = open_services(settings)
    registry = Registry(settings.model_dir, settings.cache_dir / "fetched")
    from backend.label_studio.label_config import read_labeling_config

    control = read_labeling_config(CONFIG_A, "")
    space: LabelSpace = control.space
    projects.save_config(services.engine, 7, CREATED, "tickets", CONFIG_A, space, "", {})
    random, width, labels = np.random.default_rng(1), 32, len(space)
    weights = {"mean": np.zeros(width), "scale": np.ones(width), "out": random.normal(size=(width, labels)),
               "out_bias": np.zeros(labels)}  # fmt: skip
    student = HeadStudent(space, encoder, [{name: array.astype(np.float32) for name, array in weights.items()}])
    version = f"student-1-{space.hash}"
    registry.write(7, version, student, {})
    share_encoder(registry, encoder, "float32", settings.cache_dir)
    versions.add(services.engine, 7, version, 1, space.hash, {}, 20)
    projects.promote(services.engine, 7, version)
    services.engine.dispose()
    return version, student


def _first_answer(url: str, process: subprocess.Popen[bytes], log: Path) -> dict[str, Any]:
    """A prediction for a task that nobody has answered before, once the student is loaded."""
    body = {"tasks": [task_body(1, "charged twice")], "project": f"7.{CREATED}", "label_config": CONFIG_A,
            "params": {"context": None}}  # fmt: skip
    for _ in range(1800):
        assert process.poll() is None, log.read_text()
        try:
            (entry,) = requests.post(f"{url}/predict", json=body, timeout=30).json()["results"]
        except (requests.ConnectionError, requests.Timeout):  # it listens before it can answer
            entry = None
        if entry:
            return dict(entry)
        time.sleep(0.1)
    raise AssertionError(log.read_text())
