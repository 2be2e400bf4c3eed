"""Fill a virtual environment from its pinned lock, with visible progress. Only the standard library: it runs first.

    python3.11 scripts/install.py .venv
    python3.11 scripts/install.py .venv-label-studio

A finished environment carries the hash of its locks, so that a second run returns at once. pip's own output goes to
`<environment>/install.log`; a failure is explained in one line.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent
LINE_SECONDS = 2  # a line of progress at most this often


class InstallError(Exception):
    """The environment cannot be filled; the message says why and what to do."""


@dataclass(frozen=True)
class Environment:
    """One virtual environment: its locks (the last one is installed), whether the project itself goes in, its size."""

    folder: str
    locks: tuple[str, ...]
    project: bool
    megabytes: int


ENVIRONMENTS = (
    Environment(".venv", ("requirements.txt", "requirements-dev.txt", "pyproject.toml"), True, 2500),
    Environment(".venv-label-studio", ("requirements-label-studio.txt",), False, 1500),
)
REASONS = (
    (("No space left on device", "Errno 28"), "the disk is full"),
    (
        (
            "Temporary failure in name resolution",
            "Name or service not known",
            "nodename nor servname",
            "Network is unreachable",
            "Failed to establish a new connection",
            "Connection refused",
            "ConnectTimeoutError",
            "ReadTimeoutError",
            "ProxyError",
        ),
        "the package index cannot be reached; check the network (or pip's index and proxy settings)",
    ),
    (("Permission denied", "Errno 13"), "a folder may not be written"),
    (
        ("No matching distribution",),
        "a pinned package was not found: the index has no build for this machine and Python, or cannot be reached",
    ),
)


def main() -> int:
    """Fill the environment named on the command line; 0 when it is ready."""
    known = {environment.folder: environment for environment in ENVIRONMENTS}
    if len(sys.argv) != 2 or sys.argv[1] not in known:
        complain(f"usage: install.py {' | '.join(known)}")
        return 2
    try:
        fill(known[sys.argv[1]], ROOT)
    except InstallError as error:
        complain(str(error))
        return 1
    except OSError as error:
        complain(f"{sys.argv[1]} cannot be made: {error}")
        return 1
    except KeyboardInterrupt:
        complain("installation stopped; run the command again to go on")
        return 130
    return 0


def fill(environment: Environment, root: Path) -> None:
    """Create and fill the environment under `root` unless it is up to date."""
    folder = root / environment.folder
    stamp, wanted = folder / ".installed", lock_hash(environment, root)
    if stamp.exists() and stamp.read_text() == wanted:
        return
    free = shutil.disk_usage(root).free // 2**20
    if free < environment.megabytes:
        needed = environment.megabytes
        raise InstallError(f"the disk is full: {environment.folder} needs {needed} MB, {free} MB are free on {root}")
    started = time.monotonic()
    say(f"Installing {environment.folder} (once; some minutes, depending on the network)")
    stamp.unlink(missing_ok=True)
    create(folder)
    lock = root / [name for name in environment.locks if name.endswith(".txt")][-1]
    pip(folder, ["--no-deps", "-r", str(lock)], total=count_pins(lock))
    if environment.project:
        pip(folder, ["--no-deps", "--no-build-isolation", "-e", str(root)], total=1)
    stamp.write_text(wanted)
    say(f"Installed {environment.folder} in {time.monotonic() - started:.0f} s")


def lock_hash(environment: Environment, root: Path) -> str:
    """Changes when a lock, the interpreter or the place changes."""
    parts = [sys.version, str(root), *((root / name).read_text() for name in environment.locks)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def count_pins(lock: Path) -> int:
    """Pinned packages in a lock and in the locks that it includes."""
    lines = [line.strip() for line in lock.read_text().splitlines()]
    included = sum(count_pins(lock.parent / line[3:].strip()) for line in lines if line.startswith("-r "))
    return included + sum("==" in line and not line.startswith("#") for line in lines)


def create(folder: Path) -> None:
    """Make the virtual environment, or keep one whose interpreter still runs."""
    python = folder / "bin" / "python"
    if python.exists() and run([str(python), "-m", "pip", "--version"]).returncode == 0:
        return
    made = run([sys.executable, "-m", "venv", "--clear", str(folder)])
    if made.returncode != 0:
        said = made.stdout
        if "ensurepip" in said:
            raise InstallError("this Python has no venv module; install it (Debian: apt install python3.11-venv)")
        raise InstallError(f"{folder} cannot be made: {explain(said)}")


def run(command: list[str]) -> subprocess.CompletedProcess[str]:
    """A short command with all that it said in `stdout`."""
    return subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def pip(folder: Path, arguments: list[str], total: int) -> None:
    """Run `pip install`, its output into the log, its progress in our words; InstallError explains a failure."""
    log = folder / "install.log"
    command = [str(folder / "bin" / "python"), "-m", "pip", "install", "--disable-pip-version-check"]
    command += ["--no-input", "--no-compile", "--progress-bar=off", *arguments]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "errors": "replace"}
    with log.open("w") as sink, subprocess.Popen(command, env=environment, **pipe) as process:
        try:
            follow(process, sink, total)
        except BaseException:
            process.terminate()
            raise
    if process.returncode != 0:
        raise InstallError(f"installation into {folder.name} failed: {explain(log.read_text())} (details: {log})")


def follow(process: subprocess.Popen[str], sink: IO[str], total: int) -> None:
    """Copy pip's lines into the log and say now and then how far it is."""
    done, name, shown = 0, "", time.monotonic()
    for line in process.stdout or ():
        sink.write(line)
        words = line.split()
        if words[:1] == ["Collecting"]:
            done, name = done + 1, words[1]
        big = words[:1] == ["Downloading"] and line.rstrip().endswith("MB)")
        if big or (words[:1] == ["Collecting"] and time.monotonic() - shown >= LINE_SECONDS):
            size = f" ({words[-2].lstrip('(')} MB)" if big else ""
            say(f"  fetching {min(done, total)} of {total}: {name}{size}")
            shown = time.monotonic()
        elif line.startswith("Installing collected packages"):
            say(f"  unpacking {total} packages (a minute or two without a word)" if total > 1 else "  adding Shortlist")
            shown = time.monotonic()


def explain(said: str) -> str:
    """The reason of a failure in one line, from what pip said."""
    for signs, reason in REASONS:
        if any(sign in said for sign in signs):
            return reason
    errors = [line.strip() for line in said.splitlines() if line.lower().startswith("error")]
    lines = errors or [line.strip() for line in said.splitlines() if line.strip()]
    return lines[-1][:200] if lines else "no reason given"


def say(message: str) -> None:
    """One line of progress."""
    sys.stdout.write(message + "\n")
    sys.stdout.flush()


def complain(message: str) -> None:
    """One line on stderr."""
    sys.stderr.write(f"shortlist: {message}\n")


if __name__ == "__main__":
    sys.exit(main())
