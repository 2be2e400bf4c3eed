"""Temporary files lie in memory where there is enough of it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from tests.support.folders import kept, write_in_memory


@pytest.fixture(autouse=True)
def _unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", tempfile.gettempdir())
    monkeypatch.setenv("TMPDIR", "")  # what a test sets is gone after it
    monkeypatch.delenv("TMPDIR")


def test_a_place_with_room_is_taken_by_this_process_and_by_all_that_it_starts(tmp_path: Path) -> None:
    assert write_in_memory(tmp_path, 1)
    assert tempfile.gettempdir() == os.environ["TMPDIR"] == str(tmp_path)


def test_nothing_changes_where_there_is_too_little_of_it_or_none(tmp_path: Path) -> None:
    before = tempfile.gettempdir()
    assert not write_in_memory(tmp_path, 2**60)
    assert not write_in_memory(tmp_path / "none", 1)
    assert (tempfile.gettempdir(), "TMPDIR" in os.environ) == (before, False)


def test_a_place_that_somebody_chose_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", "/var/tmp")
    assert not write_in_memory(tmp_path, 1)


def test_what_is_kept_lies_where_the_user_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHORTLIST_TEST_CACHE", str(tmp_path / "mine"))
    assert kept() == tmp_path / "mine"
    assert kept().is_dir()
