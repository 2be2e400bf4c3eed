"""The installer: what it does once, what it says when something is in the way."""

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections import namedtuple
from importlib.metadata import version
from pathlib import Path

import install
import pytest
from installing import environments, machine
from installing.environments import KNOWN, Environment
from installing.failures import InstallError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "requirements-label-studio.txt").write_text("# nothing\nlabel-studio==1.23.2\n")
    return tmp_path


@pytest.fixture
def seedless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install, "create", without_seed)


def without_seed(folder: Path) -> None:
    """An environment that borrows the pip and the uv of the tests: seeding one takes seconds."""
    venv.create(folder, with_pip=False)
    (place,) = folder.glob("lib/python*/site-packages")
    (place / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    (folder / "bin" / "uv").symlink_to(Path(sys.executable).with_name("uv"))


def test_an_up_to_date_environment_is_left_alone(project: Path) -> None:
    environment = KNOWN["label-studio"]
    mark = environments.stamp(environment, project)
    mark.parent.mkdir()
    mark.write_text(environments.lock_hash(environment, project))
    install.Installation(project).fill([environment])
    assert list(mark.parent.iterdir()) == [mark]


def test_a_changed_lock_or_place_asks_for_a_new_installation(
    project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    environment = KNOWN["label-studio"]
    before = environments.lock_hash(environment, project)
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    lock = project / "requirements-label-studio.txt"
    (elsewhere / lock.name).write_text(lock.read_text())
    assert environments.lock_hash(environment, elsewhere) != before
    lock.write_text("label-studio==1.23.3\n")
    assert environments.lock_hash(environment, project) != before


def test_a_run_needs_no_test_tools_and_is_satisfied_by_what_has_them() -> None:
    runtime, development = KNOWN["runtime"], KNOWN["development"]
    needed, all_of_it = environments.pins(runtime, ROOT), environments.pins(development, ROOT)
    assert not {"pytest", "ruff", "mypy", "selenium", "moto"} & set(needed)
    assert needed.items() < all_of_it.items()
    assert {"torch", "flask", "hatchling", "editables"} <= set(needed)
    assert runtime.folder == development.folder
    assert development.holds == ("runtime",)


def wheel(folder: Path, name: str) -> None:
    """A package with one empty module."""
    info = f"{name}-1.dist-info"
    with zipfile.ZipFile(folder / f"{name}-1-py3-none-any.whl", "w") as file:
        file.writestr(f"{name}.py", "")
        file.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
        file.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        file.writestr(f"{info}/RECORD", "")


@pytest.fixture
def wheels(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three locks, and a folder of wheels that pip is set to."""
    folder = project / "wheels"
    folder.mkdir()
    for name in ("runs", "checks", "labels"):
        wheel(folder, name)
    for name in [name for name in os.environ if name.startswith(("PIP_", "UV_"))]:
        monkeypatch.delenv(name)
    (project / "pip.conf").write_text(f"[global]\nno-index = true\n[install]\nfind-links = {folder}\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(project / "pip.conf"))
    (project / "requirements.txt").write_text("runs==1\n")
    (project / "requirements-dev.txt").write_text("-r requirements.txt\nchecks==1\n")
    (project / "requirements-label-studio.txt").write_text("labels==1\n")
    known = {
        "runtime": Environment("runtime", "Shortlist", ".venv", ("requirements.txt",), 1),
        "development": Environment("development", "All", ".venv", ("requirements-dev.txt",), 1, holds=("runtime",)),
        "label-studio": KNOWN["label-studio"],
    }
    monkeypatch.setattr(install, "KNOWN", known)
    return folder


@pytest.mark.usefixtures("seedless", "wheels")
@pytest.mark.parametrize("uv", [version("uv"), "0.0.1"], ids=["uv", "pip"])
def test_a_whole_installation_from_wheels(project: Path, uv: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Two environments side by side, one of which holds a third; the next time nothing is left to do."""
    (project / "requirements-uv.txt").write_text(f"uv=={uv}\n")
    everything = list(install.KNOWN.values())
    install.Installation(project).fill(everything)
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("Installing All and Label Studio (once;")
    assert any("pip installs, because uv cannot be had" in line for line in said) == (uv == "0.0.1")
    assert [path.name for path in sorted(project.glob(".venv*/lib/*/site-packages/*.py"))] == [
        "checks.py",
        "runs.py",
        "labels.py",
    ]
    infos = project.glob(".venv*/lib/*/site-packages/*-1.dist-info/INSTALLER")
    assert {path.read_text().strip() for path in infos} == {"pip" if uv == "0.0.1" else "uv"}
    assert all(environments.up_to_date(environment, project) for environment in everything)
    install.Installation(project).fill(everything)
    assert capsys.readouterr().out == ""


@pytest.mark.usefixtures("seedless", "wheels")
@pytest.mark.parametrize("uv", [version("uv"), "0.0.1"], ids=["uv", "pip"])
def test_a_package_that_is_not_the_locked_one_is_refused(project: Path, uv: str) -> None:
    (project / "requirements-uv.txt").write_text(f"uv=={uv}\n")
    (project / "requirements-label-studio.txt").write_text(f"labels==1 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(InstallError, match=r"Label Studio cannot be installed: .* \(its hash differs\)"):
        install.Installation(project).fill([KNOWN["label-studio"]])


def test_what_another_failure_stopped_is_not_taken_for_installed(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = KNOWN["label-studio"]
    stopped = install.Installation(project)
    stopped._stopped.end()
    monkeypatch.setattr(install, "create", lambda folder: folder.mkdir())
    with pytest.raises(InstallError, match="Label Studio cannot be installed: another installation failed"):
        stopped.fill([environment])
    assert not environments.up_to_date(environment, project)


def test_a_full_disk_is_noticed_before_anything_is_downloaded(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda _: usage(2**40, 2**40, 5 * 2**20))
    with pytest.raises(InstallError, match=r"the disk is full: Shortlist and Label Studio need 2900 MB, 5 MB are free"):
        install.Installation(project).fill([KNOWN["runtime"], KNOWN["label-studio"]])


def test_without_a_network_one_line_says_so(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_RETRIES", "1")
    (project / "requirements-uv.txt").write_text(f"uv=={version('uv')}\n")
    monkeypatch.setattr(install, "create", without_seed)
    with pytest.raises(InstallError, match="the package index cannot be reached; check the network"):
        install.Installation(project).fill([KNOWN["label-studio"]])
    assert not environments.stamp(KNOWN["label-studio"], project).exists()
    assert (project / ".venv-label-studio" / "install.log").exists()


def test_the_program_complains_on_stderr_and_fails(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, ROOT / "scripts" / "install.py", "elsewhere"], capture_output=True, text=True, check=False
    )
    assert result.returncode == 2
    assert result.stderr == "shortlist: usage: install.py runtime | development | label-studio ...\n"
