"""The folder of everything that is kept: made, checked, and held by one running instance at a time."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from backend.errors import StartError

NEEDED_MEGABYTES = 200  # below this a database in the middle of a write would be the first to notice
LOCK = "start.lock"
RUNNING = "running.json"


@dataclass
class DataDir:
    """A prepared data folder, locked by this process until `release`."""

    folder: Path
    _lock: IO[str]

    def path(self, *parts: str) -> Path:
        """A folder inside, made if it is not there."""
        folder = self.folder.joinpath(*parts)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def announce(self, environment: dict[str, str]) -> None:
        """Tell other commands on this machine which settings the running instance uses."""
        write_private(self.folder / RUNNING, json.dumps(environment, indent=2))

    def release(self) -> None:
        """Let another instance use the folder."""
        (self.folder / RUNNING).unlink(missing_ok=True)
        self._lock.close()


def prepare(folder: Path) -> DataDir:
    """Make the folder (readable for its owner only), check that it can be written, and lock it.

    Raises StartError that names the folder: not writable, disk full, or used by another instance.
    """
    folder = folder.absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        probe = folder / f".probe-{os.getpid()}"
        probe.write_bytes(b"\0" * 4096)
        probe.unlink()
    except OSError as error:
        raise StartError(_refusal(folder, error)) from None
    free = shutil.disk_usage(folder).free // 2**20
    if free < NEEDED_MEGABYTES:
        raise StartError(f"the disk is full: {free} MB are free in DATA_DIR {folder}, {NEEDED_MEGABYTES} MB are needed")
    return DataDir(folder, _lock(folder))


def _lock(folder: Path) -> IO[str]:
    lock = (folder / LOCK).open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.seek(0)
        pid = lock.read().strip() or "unknown"
        lock.close()
        raise StartError(
            f"another instance (process {pid}) already runs on DATA_DIR {folder}; stop it or choose another DATA_DIR"
        ) from None
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def _refusal(folder: Path, error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk is full: nothing can be written to DATA_DIR {folder}"
    return f"DATA_DIR {folder} cannot be written ({error.strerror or error}); choose another with DATA_DIR=<folder>"


def running_environment(folder: Path) -> dict[str, str]:
    """The settings of the instance that runs on this folder; empty when none runs."""
    try:
        with (folder / LOCK).open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                content = json.loads((folder / RUNNING).read_text())
                return {str(name): str(value) for name, value in content.items()}
    except (OSError, ValueError):
        return {}
    return {}


def write_private(path: Path, content: str) -> None:
    """Write a file that only its owner may read, replacing an older one in one step."""
    temporary = path.with_name(f".{path.name}-{os.getpid()}")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
