"""Who installs packages: uv, which fetches and unpacks many at once, with pip's settings; pip where uv cannot."""

from __future__ import annotations

import ast
import os
import subprocess
import threading
from pathlib import Path

from installing.failures import DENIED, FULL, InstallError, explain
from installing.machine import run
from installing.progress import follow, say

# What uv calls pip's settings. Where pip takes the best of all indexes, uv would stop at the first that has a package.
NAMES = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "trusted-host": "UV_INSECURE_HOST",
    "timeout": "UV_HTTP_TIMEOUT",
    "retries": "UV_HTTP_RETRIES",
    "cert": "SSL_CERT_FILE",
    "client-cert": "SSL_CLIENT_CERT",
    "proxy": "ALL_PROXY",
}
QUIET = {
    "UV_NO_PROGRESS": "1",
    "UV_SYSTEM_CERTS": "1",
    "UV_PYTHON_DOWNLOADS": "never",
    "UV_INDEX_STRATEGY": "unsafe-best-match",
}


class Stopped(threading.Event):
    """Set when an installation ends; `running` are the programs to end then."""

    def __init__(self) -> None:
        super().__init__()
        self.running: set[subprocess.Popen[str]] = set()

    def end(self) -> None:
        """End what still runs, so that nobody waits for it."""
        self.set()
        for process in list(self.running):
            process.terminate()


class PackageTool:
    """Installs into one environment; output goes to its `install.log`, a failure is an InstallError."""

    def __init__(self, folder: Path, title: str, stopped: Stopped) -> None:
        self.folder = folder
        self._title = title
        self._stopped = stopped
        self._python = str(folder / "bin" / "python")
        self._settings: dict[str, str] = {}

    def fetch_uv(self, lock: Path) -> None:
        """Install uv by pip; without it pip does all the work."""
        try:
            self._pip(["--no-deps", "-r", str(lock)], 1)
        except InstallError as error:
            if self._stopped.is_set():
                raise
            say(f"{self._title}: pip installs, because uv cannot be had ({error})")
            return
        self._settings = uv_settings(pip_settings(self._python))

    def install(self, arguments: list[str], total: int) -> None:
        """Install what pip would with these arguments, `total` packages."""
        if self._settings:
            try:
                self._run([*self._uv("install"), *arguments], total)
            except InstallError as error:
                if self._stopped.is_set() or str(error).startswith((FULL, DENIED)):
                    raise self._told(error) from error
                say(f"{self._title}: uv cannot install this; pip goes on")
            else:
                return
        self._pip(arguments, total)

    def install_programs(self, lock: Path) -> None:
        """Unpack wheels for Python 3.11 beside this environment's packages: what they hold needs no Python."""
        place = next(self.folder.glob("lib/python*/site-packages"))
        build = ["--python-version=3.11", "--implementation=cp", "--abi=cp311", "--only-binary=:all:"]
        self._pip([*build, "--no-deps", "--upgrade", "--target", str(place), "-r", str(lock)], 1)

    def offers(self, pin: str) -> bool:
        """Whether the index that pip is set to has this very build for this machine."""
        asked = [self._python, "-m", "pip", "install", "--dry-run", "--no-deps", "--ignore-installed", pin]
        if self._settings:
            asked = [*self._uv("install"), "--dry-run", "--no-deps", "--reinstall", pin]
        return run(asked, {**os.environ, **self._settings}).returncode == 0

    def _uv(self, verb: str) -> list[str]:
        no_index = ["--no-index"] if "UV_NO_INDEX" in self._settings else []
        return [str(self.folder / "bin" / "uv"), "pip", verb, "--python", self._python, *no_index]

    def _pip(self, arguments: list[str], total: int) -> None:
        command = [self._python, "-m", "pip", "install", "--disable-pip-version-check"]
        command += ["--no-input", "--no-compile", "--progress-bar=off", *arguments]
        try:
            self._run(command, total)
        except InstallError as error:
            raise self._told(error) from error

    def _told(self, error: InstallError) -> InstallError:
        return InstallError(f"{self._title} cannot be installed: {error} (details: {self.folder / 'install.log'})")

    def _run(self, command: list[str], total: int) -> None:
        """Run it, its output into the log, its progress in our words; InstallError with the bare reason."""
        if self._stopped.is_set():
            raise InstallError("another installation failed")
        log, environment = self.folder / "install.log", {**os.environ, "PYTHONUNBUFFERED": "1", **self._settings}
        pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "errors": "replace"}
        with log.open("a") as sink:
            began = sink.tell()
            with subprocess.Popen(command, env=environment, **pipe) as process:
                self._stopped.running.add(process)
                follow(process.stdout or (), sink, self._title, total, self.folder)
        self._stopped.running.discard(process)
        if process.returncode != 0:
            raise InstallError(explain(log.read_bytes()[began:].decode(errors="replace")))


def pip_settings(python: str) -> dict[str, str]:
    """What pip is set to, by the names of its options: its files and variables, in its own order of precedence."""
    found: dict[str, str] = {}
    said = run([python, "-m", "pip", "config", "list"]).stdout
    entries = [line.partition("=") for line in said.splitlines() if line.startswith(("global.", "install.", ":env:."))]
    for section in ("global.", "install.", ":env:."):
        for key, _, value in entries:
            if key.startswith(section):
                found[key.removeprefix(section)] = str(ast.literal_eval(value))
    return found


def uv_settings(of_pip: dict[str, str]) -> dict[str, str]:
    """The same as variables of uv, which take no notice of pip's; what is set for uv itself stays."""
    found = dict(QUIET)
    for name, value in of_pip.items():
        if name in NAMES and value.strip():
            several = "," if name == "find-links" else " "
            found[NAMES[name]] = several.join(value.split())
    if of_pip.get("no-index", "") in ("1", "true", "True", "yes", "on"):
        found["UV_NO_INDEX"] = "1"
    return {name: value for name, value in found.items() if name not in os.environ}
