"""Which Python is taken, and what is said where there is none."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def find_python(path: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", ROOT / "scripts" / "find-python.sh"],
        env={"PATH": path, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def python(folder: Path, name: str, minor: int, lacks: str = "") -> Path:
    """A stand-in that answers as Python 3.<minor> would, without the module `lacks`."""
    program = folder / name
    absent = f"sys.modules['{lacks}'] = None; " if lacks else ""
    answer = f"import sys; sys.version_info = (3, {minor}, 0); {absent}exec(sys.argv[1])"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{answer}" "$2"\n')
    program.chmod(0o755)
    return program


@pytest.mark.parametrize("minor", [11, 12, 13, 14])
def test_any_python_that_the_locks_fit_is_found_under_any_name(tmp_path: Path, minor: int) -> None:
    python(tmp_path, "python", 9)
    right = python(tmp_path, "python3", minor)
    assert find_python(str(tmp_path)).stdout.strip() == str(right)


def test_one_that_fits_is_preferred_to_the_usual_one(tmp_path: Path) -> None:
    python(tmp_path, "python3", 15)
    python(tmp_path, "python3.12", 12, lacks="ensurepip")
    right = python(tmp_path, "python3.13", 13)
    assert find_python(str(tmp_path)).stdout.strip() == str(right)


@pytest.mark.parametrize("minor", [10, 15])
def test_a_missing_python_is_one_clear_line(tmp_path: Path, minor: int) -> None:
    python(tmp_path, "python3", minor)
    found = find_python(str(tmp_path))
    assert found.returncode == 1
    assert found.stderr.count("\n") == 1
    assert "there is no Python 3.11 to 3.14; install one" in found.stderr


def test_a_missing_venv_module_is_named_with_its_package(tmp_path: Path) -> None:
    python(tmp_path, "python3", 13, lacks="ensurepip")
    found = find_python(str(tmp_path))
    assert (found.returncode, found.stderr.count("\n")) == (1, 1)
    assert "apt install python3.13-venv" in found.stderr


def test_what_uv_has_fetched_counts_and_what_it_could_fetch_is_offered(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    kept = python(tmp_path / "store", "python3.14", 14)
    uv = tmp_path / "uv"
    uv.write_text(f"#!/bin/sh\necho {kept}\n")
    uv.chmod(0o755)
    assert find_python(str(tmp_path)).stdout.strip() == str(kept)
    uv.write_text("#!/bin/sh\nexit 2\n")
    found = find_python(str(tmp_path))
    assert found.returncode == 1
    assert "uv can fetch one: uv python install" in found.stderr


def test_a_python_can_be_named(tmp_path: Path) -> None:
    newer, older = python(tmp_path, "newer", 13), python(tmp_path, "older", 10)
    assert find_python("/nowhere", PYTHON=str(newer)).stdout.strip() == str(newer)
    refused = find_python("/nowhere", PYTHON=str(older))
    assert refused.returncode == 1
    assert refused.stderr == f"shortlist: PYTHON={older} is not a Python 3.11 to 3.14; set PYTHON to one that is\n"
