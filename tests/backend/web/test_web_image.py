"""What is in the web image is enough to serve a student: every package outside its lock is refused to the process."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
from installing.package_tool import pip_settings, uv_settings
from packaging.utils import canonicalize_name

from backend.pool import projects, versions
from backend.services import open_services
from backend.settings import load_settings
from backend.web.app import create_app
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


IMPORTED = """
import atexit, importlib.metadata, os, sys
def tell():
    brought = importlib.metadata.packages_distributions()
    found = {package for name in list(sys.modules) for package in brought.get(name.partition(".")[0], ())}
    with open(os.environ["IMPORTED"], "a") as file:
        file.write("".join(f"{package}\\n" for package in sorted(found)))
atexit.register(tell)
"""
# Packages of the lock that no route imports, and why they are there.
BESIDES = {
    "async-timeout": "redis imports it below Python 3.11.3 only",
    "croniter": "rq asks for it",
    "et-xmlfile": "openpyxl asks for it",
    "lazy-importer": "importlib-metadata asks for it",
    "openpyxl": "`shortlist sample` reads Excel files with it",
    "packaging": "gunicorn asks for it",
    "tqdm": "openai asks for it",
    "zipp": "importlib-metadata asks for it",
}


@pytest.fixture(scope="module")
def web_environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Python of an environment that holds what the lock of the web image says, and nothing else."""
    folder = tmp_path_factory.mktemp("web") / ".venv"
    uv = [sys.executable, "-m", "uv"]
    environment = {**os.environ, **uv_settings(pip_settings(sys.executable))}
    install = [*uv, "pip", "install", "--python", str(folder / "bin" / "python"), "--no-deps", "-r"]
    for command in ([*uv, "venv", "-q", "--python", sys.executable, str(folder)], [*install, "requirements-web.txt"]):
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    return folder / "bin" / "python"


def test_all_routes_and_commands_run_on_the_lock_and_need_all_of_it(
    tmp_path: Path, redis_url: str, web_environment: Path
) -> None:
    (tmp_path / "tiny").mkdir()
    encoder = tiny_transformer(tmp_path / "tiny", ["charged", "twice", "money", "back"])
    given = {"DATA_DIR": str(tmp_path / "data"), "REDIS_URL": redis_url, "STUDENT_ENCODER": encoder, "BLIND_SHARE": "0"}
    _trained(load_settings(_env_file=None, **given), encoder)
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(IMPORTED)
    told = {"IMPORTED": str(tmp_path / "imported"), "PYTHONPATH": f"{tmp_path / 'site'}:{ROOT}"}
    environment = {**os.environ, **given, **told}
    port, log = free_port(), tmp_path / "web.log"
    command = [str(web_environment), *web_command("127.0.0.1", port)[1:]]
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
    try:
        url = f"http://127.0.0.1:{port}"
        _first_answer(url, process, log)
        statuses = {rule: _status(url, *rule) for rule in _rules()}
    finally:
        process.terminate()
        process.wait(60)
    assert not {rule: status for rule, status in statuses.items() if status >= 500}, log.read_text()
    commands = (["--help"], ["doctor", "--json"], ["export", "7", "all.csv"], ["report", "7", "report.html"])
    for arguments in commands:
        done = _shortlist(web_environment, environment, tmp_path, "-m", "backend", *arguments)
        assert "No module named" not in done.stderr, done.stderr
    fresh = {**environment, "DATA_DIR": str(tmp_path / "fresh")}  # makes the database
    _shortlist(web_environment, fresh, tmp_path, "-m", "backend", "versions", "7")
    on_demand = (
        "import alembic.command, anthropic, openai, psutil, psycopg, pygal, s3fs; "
        "openai.OpenAI(api_key='x'); anthropic.Anthropic(api_key='x')"
    )
    assert _shortlist(web_environment, environment, tmp_path, "-c", on_demand).returncode == 0
    assert "No module named" not in log.read_text()
    imported = {canonicalize_name(line) for line in (tmp_path / "imported").read_text().split()}
    locked = set(re.findall(r"^([a-z0-9.-]+)==", (ROOT / "requirements-web.txt").read_text(), re.MULTILINE))
    assert locked - imported - set(BESIDES) == set()


def _shortlist(python: Path, environment: dict[str, str], folder: Path, *arguments: str) -> Any:
    command = [str(python), *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def _rules() -> list[tuple[str, str]]:
    """(method, path) of every route."""
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(_env_file=None, DATA_DIR=folder, REDIS_URL="redis://127.0.0.1:9")
        app = create_app(open_services(settings), None)  # type: ignore[arg-type]  # it is asked for its addresses only
        rules = list(app.url_map.iter_rules())
    fill = {"number": "7", "name": "train", "prefix": "x", "filename": "style.css"}
    return [
        (method, re.sub(r"<(?:\w+:)?(\w+)>", lambda match: fill[match[1]], rule.rule))
        for rule in rules
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    ]


def _status(url: str, method: str, path: str) -> int:
    body = {"tasks": [task_body(2, "money back")], "project": f"7.{CREATED}", "label_config": CONFIG_A}
    body["schema"] = CONFIG_A
    return requests.request(method, url + path, json=body if method != "GET" else None, timeout=120).status_code


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
