"""Programs that tests run in a Python of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.support import preloaded


def refusing(*packages: str) -> str:
    """Code after which these top-level packages cannot be imported, as if they were not installed."""
    return f"""
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {packages!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Refuse())
"""


def printed(
    code: str, *arguments: object, cwd: Path, environment: Mapping[str, str] | None = None, forked: bool = False
) -> str:
    """What the program prints; it must end well. `forked`: it begins with the libraries imported, which saves seconds
    where it needs them."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    if forked:
        done = preloaded.run(command, environment or os.environ, cwd)
    else:
        done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
