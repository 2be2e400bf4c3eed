"""A real Label Studio from its own virtual environment, on a data folder that was migrated once and copied since."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

import httpx

from backend.embedded.label_studio import ENVIRONMENT
from backend.embedded.ports import free_port
from benchmarks.waiting import wait_for
from tests.e2e.processes import ROOT, Process

USER, PASSWORD, TOKEN = "admin@example.com", "adminpass123", "0123456789abcdef0123456789abcdef01234567"
FIRST_START_SECONDS = 240  # migrations: 40 s on an idle machine
STRICT = {"fflag_feat_utc_210_prediction_validation_15082025": "1"}


class LabelStudioServer:
    """One running Label Studio; `url`, `token`, `user` and `password` open it."""

    user, password, token = USER, PASSWORD, TOKEN

    def __init__(self, data: Path, log: Path, extra: Mapping[str, str] | None = None) -> None:
        self.data = data
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [str(_program()), "start", "--no-browser", "--internal-host", "127.0.0.1", "--port", str(self.port)]
        command += ["--data-dir", str(data), "--username", USER, "--password", PASSWORD]
        command += ["--user-token", TOKEN, "--enable-legacy-api-token", "--log-level", "INFO"]
        self.process = Process("Label Studio", command, {**self._environment(), **(extra or {})}, log)

    def _environment(self) -> dict[str, str]:
        ours = {
            "LABEL_STUDIO_BASE_DATA_DIR": str(self.data),
            "LABEL_STUDIO_HOST": self.url,
            "HOME": str(self.data),
        }
        return {**os.environ, **ENVIRONMENT, **ours}

    def await_ready(self, seconds: float) -> None:
        """Return when it answers; fail with its log when it does not."""

        def answers() -> bool:
            self.process.check()
            try:
                return httpx.get(f"{self.url}/health", timeout=5, trust_env=False).status_code == 200
            except httpx.TransportError:
                return False

        wait_for(f"Label Studio, see {self.process.log}", answers, seconds, pause=0.3)

    def stop(self) -> None:
        """End it and all its children."""
        self.process.stop()


def start_label_studio(folder: Path, extra: Mapping[str, str] | None = None) -> LabelStudioServer:
    """A ready Label Studio with an empty, migrated database below `folder`; `extra` goes into its environment."""
    data = folder / "label-studio"
    shutil.copytree(migrated_folder(), data, dirs_exist_ok=True)
    server = LabelStudioServer(data, folder / "label-studio.log", extra)
    try:
        server.await_ready(FIRST_START_SECONDS)
    except BaseException:
        server.stop()
        raise
    return server


def migrated_folder() -> Path:
    """The migrated folder of this version, made once per machine."""
    cache = Path(
        os.environ.get("SHORTLIST_TEST_CACHE") or Path(tempfile.gettempdir()) / f"shortlist-tests-{os.getuid()}"
    )
    template = cache / f"label-studio-{_version()}"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # who comes second waits and finds it
        if not template.is_dir():
            _migrate(cache, template)
    return template


def _migrate(cache: Path, template: Path) -> None:
    growing = Path(tempfile.mkdtemp(prefix="growing-", dir=cache))
    server = LabelStudioServer(growing, cache / f"{growing.name}.log")
    try:
        server.await_ready(FIRST_START_SECONDS)
    finally:
        server.stop()
    growing.rename(template)


def _program() -> Path:
    folder = Path(os.environ.get("LABEL_STUDIO_VENV") or ROOT / ".venv-label-studio")
    program = folder / "bin" / "label-studio"
    if not program.exists():
        raise AssertionError(
            f"there is no Label Studio in {folder}: run `make install-label-studio`, or set LABEL_STUDIO_VENV"
        )
    return program


def _version() -> str:
    program = [str(_program().parent / "python"), "-c"]
    question = "from importlib.metadata import version; print(version('label-studio'))"
    return subprocess.run([*program, question], capture_output=True, text=True, check=True).stdout.strip()
