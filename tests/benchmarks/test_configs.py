"""The benchmark of label configs."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from benchmarks import configs
from tests.support.configs import CONFIG_B, choices, view


def test_every_file_is_a_row_and_remedies_are_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "b.xml").write_text(CONFIG_B, encoding="utf-8")
    (tmp_path / "two.xml").write_text(
        view(choices("a", "b") + choices("c", "d", name="q") + '<Number name="n" toName="text"/>')
    )
    (tmp_path / "broken.xml").write_text("<View")
    (tmp_path / "index.json").write_text(json.dumps([{"file": "b.xml", "kind": "single"}]))
    monkeypatch.setattr(sys, "argv", ["configs", "--data", str(tmp_path), "--out", str(tmp_path / "out.json")])
    configs.main()
    found = json.loads((tmp_path / "out.json").read_text())
    rows = {row["file"]: row for row in found["rows"]}
    assert (rows["b.xml"]["kind"], rows["b.xml"]["outcome"], rows["b.xml"]["questions"]) == ("single", "full", 1)
    assert (rows["two.xml"]["outcome"], rows["two.xml"]["questions"], rows["two.xml"]["left_to_people"]) == (
        "full",
        2,
        1,
    )
    assert rows["two.xml"]["remedy_accepted"]  # ANSWER=label=one
    assert rows["broken.xml"]["outcome"] == "refused"
    assert found["summary"]["outcomes"] == {"full": 2, "refused": 1}
    assert found["summary"]["full_share"] == pytest.approx(2 / 3, abs=1e-4)
    assert found["summary"]["nothing_left_share"] == pytest.approx(1 / 3, abs=1e-4)
