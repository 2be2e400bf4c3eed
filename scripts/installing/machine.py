"""What has to be so before anything is fetched: a machine that there are builds for, disk space, free ports."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import subprocess
import sys
import sysconfig
from pathlib import Path

from installing.environments import Environment
from installing.failures import InstallError, explain
from installing.progress import say

PORTS = {"PORT": 9090, "LABEL_STUDIO_PORT": 8080}  # of `make run`, when nothing else is said
OLDEST, NEWEST = (3, 11), (3, 14)  # what the locks are for


def require_machine() -> None:
    """InstallError on a machine or a Python that the locked packages have no builds for."""
    system, machine = sys.platform, platform.machine().lower()
    if system == "darwin" and machine != "arm64":
        raise InstallError(
            "there is no PyTorch and no onnxruntime for this Python: on Macs they are built for Apple silicon only. "
            "With Apple silicon use an arm64 Python; an Intel Mac can run Shortlist in a virtual machine with Linux"
        )
    if system not in ("linux", "darwin"):
        raise InstallError(f"Shortlist runs on Linux and macOS, not on {system}; on Windows use WSL")
    if system == "linux" and machine not in ("x86_64", "aarch64"):
        raise InstallError(f"there is no PyTorch for processors of the kind {machine}, only for x86_64 and aarch64")
    if system == "linux" and "musl" in (sysconfig.get_config_var("HOST_GNU_TYPE") or ""):
        raise InstallError("there is no PyTorch for musl (Alpine); use a Linux with glibc 2.28 or newer")
    version = sys.version_info[:2]
    if not OLDEST <= version <= NEWEST or sys.implementation.name != "cpython":
        raise InstallError(f"Python 3.11 to 3.14 is needed; {sys.executable} is {platform.python_version()}")
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        raise InstallError(f"{sys.executable} is a free-threaded Python, which many packages have no builds for")


def require_space(environments: list[Environment], root: Path) -> None:
    """InstallError if the disk is too small for all of them together."""
    free, needed = shutil.disk_usage(root).free // 2**20, sum(environment.megabytes for environment in environments)
    if free < needed:
        titles = " and ".join(environment.title for environment in environments)
        raise InstallError(f"the disk is full: {titles} need {needed} MB, {free} MB are free on {root}")


def warn_of_ports() -> None:
    """Say before the long wait which ports of `make run` somebody else has; it will refuse to start on them."""
    for setting, usual in PORTS.items():
        port = os.environ.get(setting) or str(usual)
        if setting == "LABEL_STUDIO_PORT" and os.environ.get("SAMPLE") == "0":
            continue
        try:
            socket.create_connection(("127.0.0.1", int(port)), timeout=1).close()
        except (OSError, ValueError, OverflowError):
            continue
        say(f"Another program listens on port {port}: stop it meanwhile, or begin again with another {setting}=<port>")


def create(folder: Path) -> None:
    """Make the virtual environment, or keep one of this very interpreter that still runs."""
    python = folder / "bin" / "python"
    if python.exists():
        asked = run([str(python), "-c", "import sys, pip; print(sys.version)"])
        if asked.returncode == 0 and asked.stdout.strip() == sys.version:
            return
    made = run([sys.executable, "-m", "venv", "--clear", str(folder)])
    if made.returncode != 0:
        if "ensurepip" in made.stdout:
            name = "python{}.{}".format(*sys.version_info)
            raise InstallError(f"this Python has no venv module; install it (Debian: apt install {name}-venv)")
        raise InstallError(f"{folder} cannot be made: {explain(made.stdout)}")


def run(command: list[str], environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """A short command with all that it said in `stdout`."""
    pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.run(command, check=False, env=environment, **pipe)
