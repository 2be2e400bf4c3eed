"""Which all-in-one instances run for this user on this machine, so that commands find theirs from any folder."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import structlog

from backend.commands.start.data_dir import running_environment

log = structlog.get_logger(__name__)


def note(data: Path) -> None:
    """Remember that an instance runs on this data folder. Where that cannot be written, commands need DATA_DIR."""
    try:
        place = _place(data)
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        place.write_text(str(data.absolute()))
    except (OSError, RuntimeError) as error:
        log.info("commands in other folders will need DATA_DIR", reason=str(error))


def forget(data: Path) -> None:
    """The instance has ended."""
    try:
        _place(data).unlink(missing_ok=True)
    except (OSError, RuntimeError) as error:
        log.info("the note about this instance stays", reason=str(error))


def running() -> dict[Path, dict[str, str]]:
    """Data folders on which an instance runs, with its settings. Notes of killed instances are passed over."""
    try:
        notes = sorted(_folder().iterdir())
        found = {Path(one.read_text().strip()) for one in notes}
    except (OSError, RuntimeError, UnicodeDecodeError):
        return {}
    alive = {folder: running_environment(folder) for folder in sorted(found)}
    return {folder: settings for folder, settings in alive.items() if settings}


def _place(data: Path) -> Path:
    return _folder() / hashlib.sha256(str(data.absolute()).encode()).hexdigest()[:16]


def _folder() -> Path:
    """Where the XDG base directories want what a program remembers between its starts."""
    state = os.environ.get("XDG_STATE_HOME")
    return (Path(state) if state else Path.home() / ".local" / "state") / "shortlist" / "instances"
