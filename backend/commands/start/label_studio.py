"""A real Label Studio on loopback, from a virtual environment of its own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from backend.addresses import around_proxies
from backend.commands.start.credentials import DATABASE, Credentials, load_or_draw
from backend.commands.start.data_dir import DataDir
from backend.commands.start.empty_database import lay_out
from backend.commands.start.part import Part, answers
from backend.errors import StartError
from backend.settings import Settings

HOST = "127.0.0.1"
DEFAULT_VENV = Path(".venv-label-studio")
FIRST_START_SECONDS = 600.0  # migrations take 40 s on two idle cores
COUNT_LESS = "fflag_fix_back_4620_memory_efficient_predictions_import_08012025_short"
# Nearly all below keeps it on this machine: no outward connection, no sign-up, backends on loopback allowed.
ENVIRONMENT = {
    "DJANGO_DB": "sqlite",
    "LATEST_VERSION_CHECK": "0",
    "COLLECT_ANALYTICS": "0",
    "SENTRY_DSN": "",
    "FRONTEND_SENTRY_DSN": "",
    "FEATURE_FLAGS_OFFLINE": "1",
    "LABEL_STUDIO_DISABLE_SIGNUP_WITHOUT_LINK": "1",
    "ML_BLOCK_LOCAL_IP": "0",
    "SSRF_PROTECTION_ENABLED": "0",
    "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "1",
    "PYTHONUNBUFFERED": "1",
    # A busy machine may take longer to answer than the 1 and 3 seconds that Label Studio waits for a backend.
    "ML_TIMEOUT_HEALTH": "15",
    "ML_TIMEOUT_SETUP": "15",
    # After storing predictions Label Studio counts only the tasks that they are for, not all tasks of the project.
    COUNT_LESS: "1",
}


@dataclass(frozen=True)
class EmbeddedLabelStudio:
    """The part to start, its address, and how to get in."""

    part: Part
    url: str
    credentials: Credentials


def find_program(venv: Path) -> Path:
    """The `label-studio` of a virtual environment; StartError with the remedy if it is not there."""
    program = venv.absolute() / "bin" / "label-studio"
    if not program.exists():
        raise StartError(f"Label Studio is not installed in {venv}; run `make install-label-studio`")
    return program


def embedded_label_studio(data: DataDir, port: int, venv: Path) -> EmbeddedLabelStudio:
    """Label Studio with its database in the data folder, on `port` of loopback.

    Login and token travel in the environment, where other users of the machine cannot read them.
    """
    program = find_program(venv)
    folder = data.path("label-studio")
    folder.chmod(0o700)
    credentials = load_or_draw(folder)
    migrating = not (folder / DATABASE).exists() and not lay_out(folder, venv)
    url = f"http://{HOST}:{port}"
    options = ["--no-browser", "--internal-host", HOST, "--port", str(port), "--data-dir", str(folder)]
    part = Part(
        name="Label Studio",
        command=(str(program), "start", *options, "--enable-legacy-api-token", "--log-level", "INFO"),
        environment=_environment(os.environ, folder, url, credentials),
        log=data.path("logs") / "label-studio.log",
        ready=lambda: answers(f"{url}/health"),
        ready_seconds=FIRST_START_SECONDS,
        patience="making its database, about a minute the first time" if migrating else "starting",
    )
    return EmbeddedLabelStudio(part, url, credentials)


def _environment(inherited: Mapping[str, str], folder: Path, url: str, credentials: Credentials) -> dict[str, str]:
    """Ours, without Shortlist's own settings: keys are not its business, and some names mean something else there."""
    kept = {name: value for name, value in inherited.items() if name not in Settings.model_fields}
    login = {
        "LABEL_STUDIO_USERNAME": credentials.user,
        "LABEL_STUDIO_PASSWORD": credentials.password,
        "LABEL_STUDIO_USER_TOKEN": credentials.token,
    }
    kept |= around_proxies(inherited)
    return {**kept, **ENVIRONMENT, **login, "LABEL_STUDIO_BASE_DATA_DIR": str(folder), "LABEL_STUDIO_HOST": url}
