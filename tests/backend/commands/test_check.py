"""`shortlist check` of files; of projects: tests of the e2e folder."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from backend.cli import app
from tests.support.configs import CONFIG_B, choices, view


def test_a_file_is_told_for_people_and_for_programs(tmp_path: Path) -> None:
    config = tmp_path / "config.xml"
    config.write_text(CONFIG_B, encoding="utf-8")
    done = CliRunner().invoke(app, ["check", str(config)])
    assert done.exit_code == 0
    assert done.stdout.startswith('full\n  Choices "label": one of 4 labels, read from "text"')
    found = json.loads(CliRunner().invoke(app, ["check", str(config), "--json"]).stdout)
    assert (found["outcome"], found["left_alone"]) == ("full", [])


def test_what_is_refused_ends_with_1_and_options_are_tried(tmp_path: Path) -> None:
    config = tmp_path / "config.xml"
    config.write_text(view(choices("a", "b", attributes="") + choices("c", "d", name="q", attributes="")))
    refused = CliRunner().invoke(app, ["check", str(config), "--option", "CONTROL=gone", "--json"])
    assert refused.exit_code == 1
    assert "--option CONTROL=label" in json.loads(refused.stdout)["message"]
    assert CliRunner().invoke(app, ["check", str(config), "--option", "CONTROL=q"]).exit_code == 0


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "latin.xml").write_bytes("<View>\xe9</View>".encode("latin-1"))
    for name, reason in (("latin.xml", "is not UTF-8"), ("gone.xml", "cannot be read")):
        done = CliRunner().invoke(app, ["check", str(tmp_path / name)])
        assert reason in str(done.exception)


def test_a_control_whose_name_is_a_number_can_be_named(tmp_path: Path) -> None:
    config = tmp_path / "config.xml"
    config.write_text(view(choices("a", "b", name="x") + choices("c", "d", name="1")))
    done = CliRunner().invoke(app, ["check", str(config), "--option", "CONTROL=1", "--json"])
    assert json.loads(done.stdout)["questions"][0]["labels"] == ["c", "d"]
