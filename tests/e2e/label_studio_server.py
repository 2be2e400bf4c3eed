"""A real Label Studio from its own virtual environment, on the empty database that `shortlist start` lays out, too."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import httpx

from backend.commands.start.empty_database import lay_out
from backend.commands.start.label_studio import COUNT_LESS, ENVIRONMENT
from benchmarks.shared.waiting import wait_for
from tests.e2e.processes import ROOT, Process
from tests.support.ports import free_port

USER, PASSWORD, TOKEN = "admin@example.com", "adminpass123", "0123456789abcdef0123456789abcdef01234567"
FIRST_START_SECONDS = 240  # of a release without a ready database: migrations take 40 s on an idle machine
STRICT = {"fflag_feat_utc_210_prediction_validation_15082025": "1"}


class LabelStudioServer:
    """One running Label Studio; `url`, `token`, `user` and `password` open it."""

    user, password, token = USER, PASSWORD, TOKEN

    def __init__(self, data: Path, log: Path, extra: Mapping[str, str] | None = None) -> None:
        self.data = data
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [str(program()), "start", "--no-browser", "--internal-host", "127.0.0.1", "--port", str(self.port)]
        command += ["--data-dir", str(data), "--username", USER, "--password", PASSWORD]
        command += ["--user-token", TOKEN, "--log-level", "INFO"]
        self.process = Process("Label Studio", command, {**self._environment(), **(extra or {})}, log)

    def _environment(self) -> dict[str, str]:
        ours = {
            "LABEL_STUDIO_BASE_DATA_DIR": str(self.data),
            "LABEL_STUDIO_HOST": self.url,
            "HOME": str(self.data),
            COUNT_LESS: "0",  # as a team's own Label Studio; the embedded one has it on
        }
        return {**os.environ, **ENVIRONMENT, **ours}

    def await_ready(self, seconds: float) -> None:
        """Return when it answers; fail with its log when it does not."""

        def answers() -> bool:
            self.process.check()
            try:
                return client.get("/health").status_code == 200
            except httpx.TransportError:
                return False

        with httpx.Client(base_url=self.url, timeout=5, trust_env=False) as client:
            wait_for(f"Label Studio, see {self.process.log}", answers, seconds, pause=0.3)

    def stop(self) -> None:
        """End it and all its children."""
        self.process.stop()


def start_label_studio(folder: Path, extra: Mapping[str, str] | None = None) -> LabelStudioServer:
    """A ready Label Studio with an empty database below `folder`; `extra` goes into its environment."""
    data = folder / "label-studio"
    data.mkdir()
    lay_out(data, program().parent.parent)
    server = LabelStudioServer(data, folder / "label-studio.log", extra)
    try:
        server.await_ready(FIRST_START_SECONDS)
    except BaseException:
        server.stop()
        raise
    return server


def program() -> Path:
    """The `label-studio` to run; AssertionError if there is none."""
    folder = Path(os.environ.get("LABEL_STUDIO_VENV") or ROOT / ".venv-label-studio")
    program = folder / "bin" / "label-studio"
    if not program.exists():
        raise AssertionError(
            f"there is no Label Studio in {folder}: run `make install-label-studio`, or set LABEL_STUDIO_VENV"
        )
    return program
