"""Which Shortlist a command is about, when it is called from any folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from backend.commands import instance
from backend.commands.instance import instance_settings
from backend.commands.start import instances
from backend.commands.start.data_dir import DataDir, prepare
from backend.commands.start.environment import announced
from backend.errors import PoolError, SettingsError
from backend.services import require_pool
from backend.settings import Settings, load_settings

Start = Callable[..., DataDir]


@pytest.fixture(autouse=True)
def _shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell in an empty folder that sets nothing of ours; what a command puts into it is forgotten."""
    own = {name: value for name, value in os.environ.items() if name not in Settings.model_fields}
    monkeypatch.setattr(os, "environ", {**own, "XDG_STATE_HOME": str(tmp_path / "state")})
    monkeypatch.setattr(instance, "BESIDE", tmp_path / "checkout" / "data")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Make a data folder look as it does while its instance runs."""
    held = []

    def begin(name: str, **settings: object) -> DataDir:
        data = prepare(tmp_path / name)
        (data.folder / "pool.sqlite").touch()
        data.announce(announced(load_settings(**settings)))
        instances.note(data.folder)
        held.append(data)
        return data

    yield begin
    for data in held:
        data.release()


def stopped(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "pool.sqlite").touch()
    return folder


def test_the_one_that_runs_is_found_with_its_settings_and_named(
    start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    data = start(
        "elsewhere", PORT=9191, BASIC_AUTH_USER="us", BASIC_AUTH_PASS=SecretStr("pass"), PRESELECT=False,
        REDIS_URL="redis://there", LABEL_STUDIO_API_KEY=SecretStr("key"), OPENAI_API_KEY=SecretStr("paid"),
    )  # fmt: skip
    found = instance_settings(BACKEND_URL="http://me")
    assert (data.folder, 9191, "us", "redis://there", False) == (
        found.DATA_DIR, found.PORT, found.BASIC_AUTH_USER, found.REDIS_URL, found.PRESELECT)  # fmt: skip
    assert found.BASIC_AUTH_PASS.get_secret_value() == "pass"
    assert found.LABEL_STUDIO_API_KEY.get_secret_value() == "key"
    assert found.OPENAI_API_KEY.get_secret_value() == ""
    assert found.BACKEND_URL == "http://me"
    assert "paid" not in (data.folder / "running.json").read_text()
    assert capsys.readouterr().err == f"shortlist: this is about {data.folder}; DATA_DIR=<folder> chooses another\n"
    instances.forget(data.folder)
    assert instances.running() == {}


def test_what_the_shell_says_comes_first(start: Start, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    start("elsewhere", REDIS_URL="redis://there")
    os.environ["DATA_DIR"] = str(tmp_path / "mine")
    assert tmp_path / "mine" == instance_settings().DATA_DIR
    assert instance_settings().REDIS_URL == ""
    assert capsys.readouterr().err == ""
    with pytest.raises(PoolError, match=r"mine holds no data of a Shortlist; set DATA_DIR"):
        require_pool(instance_settings())


def test_the_data_here_come_before_what_runs_elsewhere_and_that_is_said(
    start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    stopped(Path("data"))
    assert Path("data") == instance_settings().DATA_DIR
    assert capsys.readouterr().err == ""
    other = start("elsewhere")
    assert Path("data") == instance_settings().DATA_DIR
    assert capsys.readouterr().err == (
        f"shortlist: this is about {Path('data').absolute()}, which does not run; what runs is {other.folder}\n"
    )


def test_the_data_of_the_checkout_with_their_dotenv(tmp_path: Path) -> None:
    stopped(tmp_path / "checkout" / "data")
    (tmp_path / "checkout" / ".env").write_text("LABEL_STUDIO_URL=http://theirs\nOTHER=1\n")
    found = instance_settings()
    assert (tmp_path / "checkout" / "data", "http://theirs") == (found.DATA_DIR, found.LABEL_STUDIO_URL)
    assert "OTHER" not in os.environ


def test_nothing_or_too_much_to_choose_from_is_a_sentence(start: Start) -> None:
    with pytest.raises(SettingsError, match=r"no Shortlist runs on this machine, and .*here/data holds no data"):
        instance_settings()
    start("one")
    start("two")
    with pytest.raises(SettingsError, match=r"runs on .*one and on .*two: say which with DATA_DIR=<folder>"):
        instance_settings()
    assert not Path("data").exists()
