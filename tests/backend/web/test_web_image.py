"""What is in the web image is enough to serve a student, and all of it is needed: an environment made from its lock."""

from __future__ import annotations

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
from model.encoder.exported import open_exported, shared_name
from model.labels import LabelSpace
from model.registry import Registry
from model.student.head import HeadStudent
from tests.support.configs import CONFIG_A
from tests.support.encoders import small_encoder
from tests.support.ports import free_port
from tests.support.web_server import CREATED, task_body

ROOT = Path(__file__).resolve().parents[3]
IMPORTED = """
import atexit, importlib.metadata, os, sys
def tell():
    brought = importlib.metadata.packages_distributions()
    found = {package for name in list(sys.modules) for package in brought.get(name.partition(".")[0], ())}
    with open(os.environ["IMPORTED"], "a") as file:
        file.write("".join(f"{package}\\n" for package in sorted(found)))
atexit.register(tell)
"""
COMMANDS = """
import json, os, sys
from backend.cli import main
commands, fresh = json.loads(sys.argv[1]), sys.argv[2]
for words in commands:
    if words is commands[-1]:
        os.environ["DATA_DIR"] = fresh
    sys.argv = ["shortlist", *words]
    try:
        main()
    except SystemExit as ended:
        print(words[0], "ended with", ended.code, flush=True)
"""  # one after the other in one process: what is missing is missing for each
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
    """Python of an environment that holds what the web image does: its lock, trimmed."""
    folder = tmp_path_factory.mktemp("web") / ".venv"
    uv = [sys.executable, "-m", "uv"]
    environment = {**os.environ, **uv_settings(pip_settings(sys.executable))}
    install = [*uv, "pip", "install", "--python", str(folder / "bin" / "python"), "--no-deps", "-r"]
    for command in ([*uv, "venv", "-q", "--python", sys.executable, str(folder)], [*install, "requirements-web.txt"]):
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    (site,) = folder.glob("lib/python*/site-packages")
    subprocess.run(["sh", str(ROOT / "deploy" / "trim_packages.sh"), str(site)], check=True)
    assert not list(site.glob("onnxruntime/capi/libonnxruntime.so.*"))
    return folder / "bin" / "python"


def test_a_student_is_served_and_all_routes_and_commands_run_on_the_lock_and_need_all_of_it(
    tmp_path: Path, redis_url: str, web_environment: Path
) -> None:
    given = {"DATA_DIR": str(tmp_path / "data"), "REDIS_URL": redis_url, "BLIND_SHARE": "0"}
    (tmp_path / "small").mkdir()
    small_encoder(tmp_path / "small")
    version, student = _trained(load_settings(_env_file=None, **given), tmp_path / "small")
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
        answer = _first_answer(url, process, log)
        statuses = {rule: _status(url, *rule) for rule in _rules()}
    finally:
        process.terminate()
        process.wait(240)
    assert not {rule: status for rule, status in statuses.items() if status >= 500}, log.read_text()
    best = student.probabilities(["parcel"], open_exported(tmp_path / "small").embed)[0]
    assert answer["model_version"] == version
    assert answer["result"][0]["value"]["choices"] == [student.space.names[int(best.argmax())]]
    assert abs(answer["score"] - float(best.max())) < 1e-3
    commands = [["--help"], ["doctor", "--json"], ["export", "7", "all.csv"], ["report", "7", "report.html"]]
    commands += [["export", "7", "taken", "--student"], ["versions", "7"]]
    fresh = str(tmp_path / "fresh")  # makes the database
    done = _run(web_environment, environment, tmp_path, COMMANDS, json.dumps(commands), fresh)
    assert "No module named" not in done.stderr, done.stderr
    ended = done.stdout.splitlines()[-2:]
    assert ended == ["export ended with 1", "versions ended with 1"], "without torch; without a project"
    assert "shortlist: this needs the package torch" in done.stderr
    on_demand = (
        "import alembic.command, anthropic, numpy.testing, openai, psutil, psycopg, pygal, s3fs; "
        "openai.OpenAI(api_key='x'); anthropic.Anthropic(api_key='x')"
    )
    assert _run(web_environment, environment, tmp_path, on_demand).returncode == 0
    assert "No module named" not in log.read_text()
    imported = {canonicalize_name(line) for line in (tmp_path / "imported").read_text().split()}
    locked = set(re.findall(r"^([a-z0-9.-]+)==", (ROOT / "requirements-web.txt").read_text(), re.MULTILINE))
    assert locked - imported - set(BESIDES) == set()


def _run(python: Path, environment: dict[str, str], folder: Path, code: str, *arguments: str) -> Any:
    command = [str(python), "-c", code, *arguments]
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
    body = {"tasks": [task_body(2, "invoice")], "project": f"7.{CREATED}", "label_config": CONFIG_A}
    body["schema"] = CONFIG_A
    return requests.request(method, url + path, json=body if method != "GET" else None, timeout=120).status_code


def _trained(settings: Any, encoder: Path) -> tuple[str, HeadStudent]:
    """What a worker leaves behind: a promoted student, and its encoder in the form that needs no torch."""
    services = open_services(settings)
    registry = Registry(settings.model_dir, settings.cache_dir / "fetched")
    from backend.label_studio.label_config import read_labeling_config

    control = read_labeling_config(CONFIG_A, "")
    space: LabelSpace = control.space
    projects.save_config(services.engine, 7, CREATED, "tickets", CONFIG_A, space, "", {})
    random, width, labels = np.random.default_rng(1), 2, len(space)
    weights = {"mean": np.zeros(width), "scale": np.ones(width), "out": random.normal(size=(width, labels)),
               "out_bias": np.zeros(labels)}  # fmt: skip
    student = HeadStudent(
        space, settings.STUDENT_ENCODER, [{name: array.astype(np.float32) for name, array in weights.items()}]
    )
    version = f"student-1-{space.hash}"
    registry.write(7, version, student, {})
    registry.share(shared_name(settings.STUDENT_ENCODER, "float32"), encoder)
    versions.add(services.engine, 7, version, 1, space.hash, {}, 20)
    projects.promote(services.engine, 7, version)
    services.engine.dispose()
    return version, student


def _first_answer(url: str, process: subprocess.Popen[bytes], log: Path) -> dict[str, Any]:
    """A prediction for a task that nobody has answered before, once the student is loaded."""
    body = {"tasks": [task_body(1, "parcel")], "project": f"7.{CREATED}", "label_config": CONFIG_A,
            "params": {"context": None}}  # fmt: skip
    for _ in range(1800):
        assert process.poll() is None, log.read_text()
        try:
            (entry,) = requests.post(f"{url}/predict", json=body, timeout=240).json()["results"]
        except (requests.ConnectionError, requests.Timeout):  # it listens before it can answer
            entry = None
        if entry:
            return dict(entry)
        time.sleep(0.1)
    raise AssertionError(log.read_text())
