"""Where torch comes from. Its builds for processors, GPUs and Macs lie on several indexes; the locks leave it out."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from installing.environments import TORCH_MARK, torch_is_the_named_one
from installing.failures import InstallError
from installing.package_tool import PackageTool
from installing.progress import say

CPU_BUILDS = "https://download.pytorch.org/whl/cpu"


def install_torch(tool: PackageTool, title: str, pin: str) -> None:
    """Install this torch, from the index that has the right build."""
    index = torch_index(tool, pin)
    anew = [] if torch_is_the_named_one(tool.folder) else ["--force-reinstall"]
    if index:
        try:
            tool.install([*anew, "--no-deps", "--index-url", index, pin], 1)
            (tool.folder / TORCH_MARK).write_text(os.environ.get("TORCH_INDEX", ""))
        except InstallError:
            if os.environ.get("TORCH_INDEX"):
                raise
            say(f"{title}: {index} cannot be used; torch comes with NVIDIA's libraries, some 3 GB")
            tool.install(["--no-deps", pin], 1)
    else:
        tool.install(["--no-deps", pin], 1)
    if lacks_libraries(tool.folder):
        tool.install([pin], 1)


def torch_index(tool: PackageTool, pin: str) -> str:
    """The index from which torch must come; "" if the one that pip is set to has the right build.

    On Linux the public index has torch for NVIDIA GPUs only, with 3 GB of libraries.
    """
    named = os.environ.get("TORCH_INDEX", "")
    if named or sys.platform != "linux" or shutil.which("nvidia-smi"):
        return named
    return "" if tool.offers(pin + "+cpu") else CPU_BUILDS


def lacks_libraries(folder: Path) -> bool:
    """Whether the torch that was installed is one that needs NVIDIA's libraries; the locks name none."""
    found = list(folder.glob("lib/python*/site-packages/torch-*.dist-info/METADATA"))
    return any("Requires-Dist: nvidia" in path.read_text(errors="replace") for path in found)
