import stat
from pathlib import Path

import pytest

from backend.commands.start.credentials import load_or_draw
from backend.errors import StartError


def test_a_login_is_drawn_once_and_kept_private(tmp_path: Path) -> None:
    first = load_or_draw(tmp_path)
    assert load_or_draw(tmp_path) == first
    assert len(first.token) == 40
    assert len(first.password) >= 16
    assert stat.S_IMODE((tmp_path / "credentials.json").stat().st_mode) == 0o600
    assert first.password not in repr(first)
    assert first.token not in repr(first)


def test_two_data_folders_have_different_logins(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert load_or_draw(tmp_path / "a").token != load_or_draw(tmp_path / "b").token


def test_lost_credentials_are_not_replaced_behind_an_existing_database(tmp_path: Path) -> None:
    (tmp_path / "label_studio.sqlite3").write_bytes(b"data")
    with pytest.raises(StartError, match=r"credentials\.json is missing but Label Studio's data are there"):
        load_or_draw(tmp_path)


@pytest.mark.parametrize("content", ["{", '{"unknown": 1}', ""])
def test_damaged_credentials_are_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "credentials.json").write_text(content)
    with pytest.raises(StartError, match=r"credentials\.json is damaged"):
        load_or_draw(tmp_path)
