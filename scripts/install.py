"""Fill virtual environments from their pinned locks, with visible progress. Only the standard library: it runs first.

    python3.11 scripts/install.py runtime label-studio       # what `make run` needs, both side by side
    python3.11 scripts/install.py development label-studio   # and what checks and tests need

A finished environment carries the hash of its locks, so that a second run returns at once. pip's own output goes to
`<environment>/install.log`; a failure is explained in one line. On Linux without an NVIDIA GPU torch comes from
PyTorch's index of CPU builds, unless the index that pip is set to has one; TORCH_INDEX=<url> names another, and when
it names yet another one later, torch is installed anew.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent
LINE_SECONDS = 5  # a line of progress of each environment at most this often
LARGE_MEGABYTES = 20  # and one for each package that is larger
PORTS = {"PORT": 9090, "LABEL_STUDIO_PORT": 8080}  # of `make run`, when nothing else is said
TORCH_MARK = ".torch-index"  # in an environment: what TORCH_INDEX named when torch was installed
CPU_BUILDS = "https://download.pytorch.org/whl/cpu"


class InstallError(Exception):
    """The environment cannot be filled; the message says why and what to do."""


@dataclass(frozen=True)
class Environment:
    """What can be asked for: a folder, the locks that are installed into it, its size in megabytes.

    `project`: the project itself goes in. `holds`: what else is there once this is.
    """

    name: str
    title: str
    folder: str
    locks: tuple[str, ...]
    megabytes: int
    project: bool = False
    holds: tuple[str, ...] = ()


KNOWN = {
    one.name: one
    for one in (
        Environment("runtime", "Shortlist", ".venv", ("requirements.txt", "requirements-build.txt"), 2000, True),
        Environment(
            "development", "Shortlist with its tests", ".venv", ("requirements-dev.txt",), 3000, True, ("runtime",)
        ),
        Environment("label-studio", "Label Studio", ".venv-label-studio", ("requirements-label-studio.txt",), 1500),
    )
}
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
    """Fill the environments named on the command line; 0 when all are ready."""
    names = sys.argv[1:]
    if not names or not set(names) <= set(KNOWN):
        complain(f"usage: install.py {' | '.join(KNOWN)} ...")
        return 2
    try:
        Installation(ROOT).fill([KNOWN[name] for name in names])
    except InstallError as error:
        complain(str(error))
        return 1
    except OSError as error:
        complain(f"installation failed: {error}")
        return 1
    except KeyboardInterrupt:
        complain("installation stopped; run the command again to go on")
        return 130
    return 0


class Installation:
    """Fills environments below `root`, several side by side; one that fails stops the others."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._running: set[subprocess.Popen[str]] = set()
        self._stopped = threading.Event()

    def fill(self, environments: list[Environment]) -> None:
        """Create and fill what is not up to date; InstallError says what is in the way."""
        held = {name for environment in environments for name in environment.holds}
        wanted = [one for one in environments if one.name not in held and not up_to_date(one, self._root)]
        if not wanted:
            return
        require_space(wanted, self._root)
        titles = " and ".join(environment.title for environment in wanted)
        say(f"Installing {titles} (once; some minutes, depending on the network)")
        if any(environment.name == "runtime" for environment in wanted):
            warn_of_ports()
        with ThreadPoolExecutor(len(wanted)) as pool:
            futures = [pool.submit(self._fill, environment) for environment in wanted]
            try:
                done, _ = wait(futures, return_when=FIRST_EXCEPTION)
                for future in done:
                    future.result()
            except BaseException:
                self._stop()
                raise

    def _fill(self, environment: Environment) -> None:
        started, folder = time.monotonic(), self._root / environment.folder
        stamp(environment, self._root).unlink(missing_ok=True)
        create(folder)
        locks = [argument for lock in environment.locks for argument in ("-r", str(self._root / lock))]
        wanted = pins(environment, self._root)
        self._torch(environment, wanted.get("torch", ""))
        self._pip(environment, ["--no-deps", *locks], len(wanted))
        if lacks_libraries(folder):
            self._pip(environment, [wanted["torch"]], len(wanted))
        if environment.project:
            self._pip(environment, ["--no-deps", "--no-build-isolation", "-e", str(self._root)], 1)
        for name in (environment.name, *environment.holds):
            stamp(KNOWN[name], self._root).write_text(lock_hash(KNOWN[name], self._root))
        say(f"{environment.title}: installed in {time.monotonic() - started:.0f} s")

    def _torch(self, environment: Environment, pin: str) -> None:
        """Install torch ahead of all others where it has to come from an index of its own; pip then keeps it."""
        folder = self._root / environment.folder
        index = torch_index(folder, pin)
        if not index:
            return
        anew = [] if torch_is_the_named_one(folder) else ["--force-reinstall"]
        try:
            self._pip(environment, [*anew, "--no-deps", "--index-url", index, pin], 1)
            (folder / TORCH_MARK).write_text(os.environ.get("TORCH_INDEX", ""))
        except InstallError:
            if os.environ.get("TORCH_INDEX") or self._stopped.is_set():
                raise
            say(f"{environment.title}: {index} cannot be used; torch comes with NVIDIA's libraries, some 3 GB")

    def _pip(self, environment: Environment, arguments: list[str], total: int) -> None:
        """Run `pip install`, its output into the log, its progress in our words; InstallError explains a failure."""
        folder = self._root / environment.folder
        log = folder / "install.log"
        command = [str(folder / "bin" / "python"), "-m", "pip", "install", "--disable-pip-version-check"]
        command += ["--no-input", "--no-compile", "--progress-bar=off", *arguments]
        pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "errors": "replace"}
        if self._stopped.is_set():
            raise InstallError(f"{environment.title} is not installed: another installation failed")
        with log.open("w") as sink, subprocess.Popen(command, env=unbuffered(), **pipe) as process:
            self._running.add(process)
            follow(process.stdout or (), sink, environment.title, total, folder)
        self._running.discard(process)
        if process.returncode != 0:
            said = explain(log.read_text())
            raise InstallError(f"{environment.title} cannot be installed: {said} (details: {log})")

    def _stop(self) -> None:
        """End what still runs, so that nobody waits for it."""
        self._stopped.set()
        for process in list(self._running):
            process.terminate()


def up_to_date(environment: Environment, root: Path) -> bool:
    """Whether it was filled from these locks, here, with this interpreter."""
    mark = stamp(environment, root)
    filled = mark.exists() and mark.read_text() == lock_hash(environment, root)
    return filled and ("torch" not in pins(environment, root) or torch_is_the_named_one(root / environment.folder))


def stamp(environment: Environment, root: Path) -> Path:
    """The file that says from what an environment was filled."""
    return root / environment.folder / f".installed-{environment.name}"


def lock_hash(environment: Environment, root: Path) -> str:
    """Changes when a lock, the interpreter or the place changes."""
    parts = [sys.version, str(root), *(line for lock in environment.locks for line in lines(root / lock))]
    if environment.project:
        parts.append((root / "pyproject.toml").read_text())
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def lines(lock: Path) -> list[str]:
    """The lines of a lock and of the locks that it includes."""
    found = []
    for line in lock.read_text().splitlines():
        found += lines(lock.parent / line[3:].strip()) if line.startswith("-r ") else [line.strip()]
    return found


def pins(environment: Environment, root: Path) -> dict[str, str]:
    """What is installed: the pin of each package."""
    every = [line for lock in environment.locks for line in lines(root / lock)]
    return {line.partition("==")[0]: line for line in every if "==" in line and not line.startswith("#")}


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


def require_space(environments: list[Environment], root: Path) -> None:
    """InstallError if the disk is too small for all of them together."""
    free, needed = shutil.disk_usage(root).free // 2**20, sum(environment.megabytes for environment in environments)
    if free < needed:
        titles = " and ".join(environment.title for environment in environments)
        raise InstallError(f"the disk is full: {titles} need {needed} MB, {free} MB are free on {root}")


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


def torch_index(folder: Path, pin: str) -> str:
    """The index from which torch must come; "" if the one that pip is set to has the right build.

    On Linux the public index has torch for NVIDIA GPUs only, with 3 GB of libraries.
    """
    named = os.environ.get("TORCH_INDEX", "")
    if named or not pin or sys.platform != "linux" or shutil.which("nvidia-smi"):
        return named if pin else ""
    asked = [str(folder / "bin" / "python"), "-m", "pip", "install", "--dry-run", "--no-deps", "--ignore-installed"]
    return "" if run([*asked, pin + "+cpu"]).returncode == 0 else CPU_BUILDS


def torch_is_the_named_one(folder: Path) -> bool:
    """Whether torch came from the index that TORCH_INDEX names; where it names none, any torch will do."""
    named, mark = os.environ.get("TORCH_INDEX", ""), folder / TORCH_MARK
    return not named or (mark.exists() and mark.read_text() == named)


def lacks_libraries(folder: Path) -> bool:
    """Whether the torch that was installed is one that needs NVIDIA's libraries; the locks name none."""
    found = list(folder.glob("lib/python*/site-packages/torch-*.dist-info/METADATA"))
    return any("Requires-Dist: nvidia" in path.read_text(errors="replace") for path in found)


def unbuffered() -> dict[str, str]:
    """The environment in which pip says at once what it does."""
    return {**os.environ, "PYTHONUNBUFFERED": "1"}


def run(command: list[str]) -> subprocess.CompletedProcess[str]:
    """A short command with all that it said in `stdout`."""
    return subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def follow(lines_of_pip: Iterable[str], sink: IO[str], title: str, total: int, folder: Path) -> None:
    """Copy pip's lines into the log and say now and then how far it is, and what is large."""
    done, shown, unpacked = 0, time.monotonic(), threading.Event()
    try:
        for line in lines_of_pip:
            sink.write(line)
            word, _, rest = line.strip().partition(" ")
            done += word in ("Collecting", "Processing")
            large = rest.endswith("MB)") and float(rest[:-1].split("(")[-1].split()[0]) >= LARGE_MEGABYTES
            if word in ("Downloading", "Using", "Processing") and (large or time.monotonic() - shown >= LINE_SECONDS):
                file = rest.removeprefix("cached ").split(" ")[0].rpartition("/")[2]
                size = f" ({rest.split('(')[-1]}" if large else ""
                say(f"{title}: fetching {min(done, total)} of {total}, {'-'.join(file.split('-')[:2])}{size}")
                shown = time.monotonic()
            elif line.startswith("Installing collected packages"):
                names = rest.partition(": ")[2].split(", ")
                threading.Thread(target=tell_unpacking, args=(folder, title, names, unpacked), daemon=True).start()
    finally:
        unpacked.set()


def tell_unpacking(folder: Path, title: str, names: list[str], over: threading.Event) -> None:
    """Say now and then which package pip unpacks, until it is `over`: pip is silent about that for a minute or two.

    `names` stand in pip's order; a package is there once its metadata is.
    """
    began, shown = time.time() - 1, -1
    while not over.wait(LINE_SECONDS):
        infos = folder.glob("lib/python*/site-packages/*.dist-info")
        done = sum(os.path.getmtime(info) >= began for info in infos if info.exists())
        if shown != done < len(names):
            say(f"{title}: unpacking {done + 1} of {len(names)}, {names[done]}")
            shown = done


def explain(said: str) -> str:
    """The reason of a failure in one line, from what pip said."""
    for signs, reason in REASONS:
        if any(sign in said for sign in signs):
            return reason
    errors = [line.strip() for line in said.splitlines() if line.lower().startswith("error")]
    found = errors or [line.strip() for line in said.splitlines() if line.strip()]
    return found[-1][:200] if found else "no reason given"


def say(message: str) -> None:
    """One line of progress."""
    sys.stdout.write(message + "\n")
    sys.stdout.flush()


def complain(message: str) -> None:
    """One line on stderr."""
    sys.stderr.write(f"shortlist: {message}\n")


if __name__ == "__main__":
    sys.exit(main())
