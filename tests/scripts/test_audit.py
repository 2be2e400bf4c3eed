"""The audit never says that nothing is wrong when nobody could be asked."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(("options", "code"), [([], 1), (["--if-possible"], 0)])
def test_without_a_network_it_says_so(options: list[str], code: int) -> None:
    nowhere = "http://127.0.0.1:1"
    environment = {**os.environ, "HTTPS_PROXY": nowhere, "HTTP_PROXY": nowhere, "https_proxy": nowhere, "NO_PROXY": ""}
    command = [sys.executable, str(ROOT / "scripts" / "audit.py"), *options]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == code
    assert done.stdout.startswith("Vulnerabilities of the locked packages are not known: the advisory service cannot")


def test_every_lock_is_compared() -> None:
    pins = runpy.run_path(str(ROOT / "scripts" / "audit.py"))["pins"]()
    names = {pin.split("==")[0] for pin in pins}
    assert {"Flask", "torch", "pytest"} <= names or {"flask", "torch", "pytest"} <= names
    assert len(pins) > 150
