"""A `make run` to measure: one that runs already, or one of our own on free ports and a data folder of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import httpx

from backend.commands.start.ports import free_port
from benchmarks.shared.annotator import Annotator

STOP_SECONDS = 60


@dataclass(frozen=True)
class Running:
    """Addresses and data folder; `started` is time.monotonic() where we started it ourselves."""

    label_studio: str
    backend: str
    data_dir: Path
    started: float | None = None
    process: subprocess.Popen[bytes] | None = None

    @classmethod
    def start(cls, sample: Path) -> Running:
        """Run `make run SAMPLE=<sample>` with its output in the data folder's `make-run.log`."""
        folder = Path(tempfile.mkdtemp(prefix="shortlist-first-day-"))
        ports = free_port(), free_port()
        settings = [f"SAMPLE={sample.absolute()}", f"DATA_DIR={folder / 'data'}"]
        settings += [f"PORT={ports[0]}", f"LABEL_STUDIO_PORT={ports[1]}"]
        started = time.monotonic()
        with (folder / "make-run.log").open("wb") as log:
            process = subprocess.Popen(["make", "run", *settings], stdout=log, stderr=log, start_new_session=True)
        print(f"started `make run`, see {folder / 'make-run.log'}", flush=True)
        found = cls(f"http://127.0.0.1:{ports[1]}", f"http://127.0.0.1:{ports[0]}", folder / "data")
        return replace(found, started=started, process=process)

    def login(self) -> tuple[str, str] | None:
        """Address and token of Label Studio, None while it does not answer."""
        if self.process is not None and self.process.poll() is not None:
            raise SystemExit(f"`make run` ended with {self.process.returncode}, see {self.data_dir.parent}")
        kept = self.data_dir / "label-studio" / "credentials.json"
        try:
            httpx.get(f"{self.label_studio}/health", timeout=5, trust_env=False).raise_for_status()
            token = os.environ.get("LABEL_STUDIO_API_KEY") or json.loads(kept.read_text())["token"]
        except (httpx.HTTPError, FileNotFoundError):
            return None
        return self.label_studio, str(token)

    def stop(self) -> None:
        """Press Ctrl-C in the terminal of our `make run`; one that ran before goes on."""
        if self.process is None or self.process.poll() is not None:
            return
        os.killpg(self.process.pid, signal.SIGINT)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            raise


def newest_project(person: Annotator) -> int:
    """The newest project that has tasks, 0 if there is none."""
    return max((int(project["id"]) for project in person.projects() if project["task_number"]), default=0)
