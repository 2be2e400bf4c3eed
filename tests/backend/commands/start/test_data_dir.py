import os
import stat
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from backend.commands.start import data_dir
from backend.commands.start.data_dir import prepare, running_environment, write_private
from backend.errors import StartError

HOLD = """
import sys, pathlib
from backend.commands.start.data_dir import prepare
held = prepare(pathlib.Path(sys.argv[1])); held.announce({"REDIS_URL": "redis://there"})
print("held", flush=True); sys.stdin.read()
"""


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_folder_is_made_for_its_owner_only(tmp_path: Path) -> None:
    data = prepare(tmp_path / "a" / "data")
    assert mode(data.folder) == 0o700
    assert data.path("logs", "old").is_dir()
    data.release()


def test_a_second_instance_is_refused_until_the_first_ends(tmp_path: Path) -> None:
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(StartError, match=rf"another instance \(process {other.pid}\) already runs on DATA_DIR"):
            prepare(tmp_path)
        assert running_environment(tmp_path) == {"REDIS_URL": "redis://there"}
        other.kill()
    assert running_environment(tmp_path) == {}
    prepare(tmp_path).release()


def test_the_settings_of_an_instance_are_private_and_gone_after_it(tmp_path: Path) -> None:
    data = prepare(tmp_path)
    data.announce({"LABEL_STUDIO_API_KEY": "secret"})
    assert mode(tmp_path / "running.json") == 0o600
    data.release()
    assert not (tmp_path / "running.json").exists()
    assert running_environment(tmp_path) == {}


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(StartError, match=r"DATA_DIR .*data cannot be written .*choose another with DATA_DIR="):
        prepare(tmp_path / "data")


def test_a_folder_that_takes_no_files_is_named() -> None:
    with pytest.raises(StartError, match="cannot be written"):
        prepare(Path("/proc/self"))


def test_a_full_disk_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(data_dir.shutil, "disk_usage", lambda _: usage(100 * 2**20, 90 * 2**20, 10 * 2**20))
    with pytest.raises(StartError, match="the disk is full: 10 MB are free"):
        prepare(tmp_path)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_device_without_space_is_called_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_space(*_: object) -> None:
        with open("/dev/full", "wb", buffering=0) as device:
            device.write(b"\0")

    monkeypatch.setattr(Path, "write_bytes", no_space)
    with pytest.raises(StartError, match="the disk is full: nothing can be written"):
        prepare(tmp_path)


def test_private_files_replace_older_ones_in_one_step(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("old")
    os.chmod(path, 0o644)
    write_private(path, "new")
    assert path.read_text() == "new"
    assert mode(path) == 0o600
    assert list(tmp_path.iterdir()) == [path]
