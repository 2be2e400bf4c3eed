"""What deploy/trim_packages.sh takes out of the worker image is not missed by what a worker does."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORK = """
import sys
sys.path[:0] = sys.argv[1:]
import model.train, sklearn.linear_model, scipy.sparse, onnx, onnxruntime, pyarrow, numpy.testing
from model.encoder.encoder import load_encoder
print(load_encoder().embed(["charged twice"]).shape)
"""


def linked(source: str, target: str) -> None:
    """A second name of the file, or a copy where the disk is another one."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def test_a_worker_encodes_texts_with_what_is_left(tmp_path: Path) -> None:
    (site,) = Path(sys.prefix).glob("lib/python*/site-packages")
    left = tmp_path / "site-packages"
    shutil.copytree(site, left, copy_function=linked, symlinks=True)
    subprocess.run(["sh", str(ROOT / "deploy" / "trim_packages.sh"), str(left)], check=True)
    assert not list(left.glob("scipy/**/tests"))
    command = [sys.executable, "-I", "-S", "-c", WORK, str(left), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip().endswith("(1, 384)")
