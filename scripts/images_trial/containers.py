"""Containers from the built images, on this machine's network, with docker, podman or buildah."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

USER = 10001  # of the images


class Engine:
    """Runs a service of the compose file; `data` is its volume, `names` are hosts that are this machine."""

    def __init__(self, data: Path, names: tuple[str, ...]) -> None:
        self._data, self._names = data, names
        os.chown(data, USER, USER)
        self._engine = next((one for one in ("docker", "podman", "buildah") if holds(one)), "")
        self._running: dict[Path, subprocess.Popen[bytes]] = {}
        if not self._engine:
            raise SystemExit("the image shortlist-web is not there: run `make images` first")

    def run(self, service: dict[str, Any], log: Path) -> int:
        """Run it to its end, while the others run; the exit code."""
        with self._command(service) as command, log.open("wb") as sink:
            process = subprocess.Popen(command, stdout=sink, stderr=sink, start_new_session=True)
            try:
                while process.poll() is None:
                    self.check()
                    time.sleep(0.5)
                return process.returncode
            finally:
                end(process)

    def check(self) -> None:
        """Stop with the end of its log if one that should run has ended."""
        for log, process in self._running.items():
            if process.poll() is not None:
                raise SystemExit(f"{log.stem} ended with {process.returncode}:\n{log.read_text()[-3000:]}")

    @contextmanager
    def running(self, service: dict[str, Any], log: Path) -> Iterator[None]:
        """Run it meanwhile."""
        with self._command(service) as command, log.open("wb") as sink:
            self._running[log] = process = subprocess.Popen(command, stdout=sink, stderr=sink, start_new_session=True)
            try:
                yield
            finally:
                del self._running[log]
                end(process)

    @contextmanager
    def _command(self, service: dict[str, Any]) -> Iterator[list[str]]:
        image, given = service["image"], service["environment"]
        settings = [option for name, value in given.items() for option in ("--env", f"{name}={value}")]
        hosts = [option for name in self._names for option in ("--add-host", f"{name}:127.0.0.1")]
        volume = ["--volume", f"{self._data}:/data"]
        if self._engine != "buildah":
            name = f"shortlist-{uuid.uuid4().hex[:8]}"
            run = [self._engine, "run", "--rm", "--name", name, "--network", "host", *hosts, *volume, *settings]
            yield [*run, image, *service.get("command", [])]
            subprocess.run([self._engine, "rm", "--force", name], check=False, capture_output=True)
            return
        container = output(["buildah", "from", "--network", "host", *hosts, image])
        asked = json.loads(output(["buildah", "inspect", "--type", "image", image]))
        command = service.get("command") or asked["OCIv1"]["config"]["Cmd"]
        try:
            yield ["buildah", "run", "--network", "host", *volume, *settings, container, "--", *command]
        finally:
            subprocess.run(["buildah", "rm", container], check=False, capture_output=True)


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask it and all that it started to end, then kill them."""
    if process.poll() is not None:
        return
    os.killpg(process.pid, 15)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        process.wait()


def holds(engine: str) -> bool:
    """Whether this engine works here and has the image."""
    asked = ["buildah", "inspect", "--type", "image"] if engine == "buildah" else [engine, "image", "inspect"]
    there = shutil.which(engine) is not None
    return there and subprocess.run([*asked, "shortlist-web"], check=False, capture_output=True).returncode == 0


def output(command: list[str]) -> str:
    """What a short command prints."""
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
