"""What deploy/trim_packages.sh takes out of the worker image is not missed by what a worker does."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
WORK = """
import sys
sys.path[:0] = sys.argv[1:]
import model.train, sklearn.linear_model, scipy.sparse, onnx, onnxruntime, pyarrow, numpy.testing
from model.encoder.encoder import load_encoder
print(load_encoder().embed(["charged twice"]).shape)
"""


@pytest.fixture
def left() -> Iterator[Path]:
    """All packages, by second names of their files: on their own disk, because to copy them takes gigabytes."""
    (site,) = Path(sys.prefix).glob("lib/python*/site-packages")
    with tempfile.TemporaryDirectory(prefix="trimmed-", dir=sys.prefix) as folder:
        left = Path(folder, "site-packages")
        shutil.copytree(site, left, copy_function=os.link, symlinks=True)
        yield left


def test_a_worker_encodes_texts_with_what_is_left(left: Path) -> None:
    subprocess.run(["sh", str(ROOT / "deploy" / "trim_packages.sh"), str(left)], check=True)
    assert not list(left.glob("scipy/**/tests"))
    command = [sys.executable, "-I", "-S", "-c", WORK, str(left), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip().endswith("(1, 384)")
