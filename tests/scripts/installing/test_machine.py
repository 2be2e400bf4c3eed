"""What is refused before anything is fetched."""

import platform
import socket
import sys
import sysconfig
from pathlib import Path

import pytest
from installing import machine
from installing.failures import InstallError


def test_a_port_that_is_taken_is_told_before_the_long_wait(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PORT", "no number")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setenv("LABEL_STUDIO_PORT", str(port))
        machine.warn_of_ports()
        said = capsys.readouterr().out
        assert said.startswith(f"Another program listens on port {port}: ")
        assert said.endswith(" LABEL_STUDIO_PORT=<port>\n")
        monkeypatch.setenv("SAMPLE", "0")
        machine.warn_of_ports()
        assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("system", "kind", "said"),
    [
        ("darwin", "x86_64", "an Intel Mac can run Shortlist in a virtual machine with Linux"),
        ("win32", "AMD64", "on Windows use WSL"),
        ("linux", "armv7l", "no PyTorch for processors of the kind armv7l"),
    ],
)
def test_a_machine_without_builds_is_told_so(
    monkeypatch: pytest.MonkeyPatch, system: str, kind: str, said: str
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(platform, "machine", lambda: kind)
    with pytest.raises(InstallError, match=said):
        machine.require_machine()


@pytest.mark.parametrize(("system", "kind"), [("darwin", "arm64"), ("linux", "x86_64"), ("linux", "aarch64")])
def test_machines_with_builds_are_let_through(monkeypatch: pytest.MonkeyPatch, system: str, kind: str) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(platform, "machine", lambda: kind)
    machine.require_machine()


def test_musl_and_free_threaded_pythons_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value, said in (
        ("HOST_GNU_TYPE", "x86_64-pc-linux-musl", "no PyTorch for musl"),
        ("Py_GIL_DISABLED", 1, "a free-threaded Python"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(sysconfig, "get_config_var", {name: value}.get)
            with pytest.raises(InstallError, match=said):
                machine.require_machine()


def test_an_environment_of_another_python_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / ".venv"
    (folder / "bin").mkdir(parents=True)
    python = folder / "bin" / "python"
    python.symlink_to(sys.executable)
    machine.create(folder)
    assert python.resolve() == Path(sys.executable).resolve()
    assert not (folder / "pyvenv.cfg").exists()  # it was kept
    monkeypatch.setattr(sys, "version", "another")
    machine.create(folder)
    assert (folder / "pyvenv.cfg").exists()
