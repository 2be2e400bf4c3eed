"""The benchmark of growth reads both databases after every version; in Label Studio's a few of the latest are left."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.serving.publishing import clearing
from benchmarks.speed.growth import growth_rows
from benchmarks.speed.report import growth_plot


def test_both_databases_are_read_after_every_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clearing, "LATEST", 1)
    rows, summary = growth_rows(4, 120, 3)
    sizes = [(row["method"], row["seed"]) for row in rows if row["what"] == "size"]
    assert sizes == [(method, version) for method in ("pool", "Label Studio") for version in (1, 2, 3, 4)]
    held = [row["value"] for row in rows if row["what"] == "predictions held"]
    assert held == [1.0, 2.0, 3.0, 3.0]
    assert summary["bytes_per_task_4_versions"] > 0
    assert summary["label_studio_bytes_per_task_4_versions"] > 0
    growth_plot([{"part": "growth", **row} for row in rows], tmp_path / "growth.svg")
    assert "<svg" in (tmp_path / "growth.svg").read_text()
