"""The locks: every package exactly and once, with hashes, for each Python and machine that they are said to be for."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import lock as locks
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
WRITTEN = [one.name for one in locks.LOCKS]


def pins(lock: str) -> list[Requirement]:
    return [Requirement(pin) for pin in locks.pins(ROOT / lock)]


def chosen(lock: str, machine: dict[str, str]) -> dict[str, str]:
    """What is installed on a machine: version by name."""
    found: dict[str, str] = {}
    for pin in pins(lock):
        if pin.marker is None or pin.marker.evaluate(machine):
            name = canonicalize_name(pin.name)
            assert name not in found, f"{name} twice on {machine}"
            (found[name],) = (one.version for one in pin.specifier if one.operator == "==")
    return found


HERE = next(
    one
    for one in reversed(locks.machines())
    if tuple(map(int, one["python_full_version"].split("."))) <= sys.version_info[:3]
)


@pytest.mark.parametrize("lock", [*WRITTEN, "requirements-redis.txt"])
def test_every_package_is_pinned_once_on_each_machine_and_has_hashes(lock: str) -> None:
    text = (ROOT / lock).read_text()
    for entry in locks.entries(text):
        assert re.fullmatch(r"[a-z0-9.-]+==[^\n]+ \\\n(    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+", entry), entry
    for machine in locks.machines():
        chosen(lock, machine)


def test_the_locks_are_made_from_what_pyproject_says() -> None:
    command = [sys.executable, "scripts/lock.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_another_requirement_makes_its_locks_stale(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    runtime = locks.LOCKS[0]
    before = locks.inputs(runtime)
    content = (ROOT / "pyproject.toml").read_text()
    for other in locks.LOCKS:
        (tmp_path / other.name).write_text((ROOT / other.name).read_text())
    (tmp_path / "pyproject.toml").write_text(content)
    monkeypatch.setattr(locks, "ROOT", tmp_path)
    assert locks.inputs(runtime) == before
    (tmp_path / "pyproject.toml").write_text(content.replace('"flask>=3.1,<4"', '"flask>=3.2,<4"'))
    assert locks.inputs(runtime) != before


@pytest.mark.parametrize("machine", locks.machines(), ids=lambda one: "-".join(list(one.values())[:4]))
def test_the_locks_fit_the_ranges_of_the_project(machine: dict[str, str]) -> None:
    content = tomllib.loads((ROOT / "pyproject.toml").read_text())
    project, groups = content["project"], content["dependency-groups"]
    extras = [line for name in locks.RUNTIME for line in project["optional-dependencies"][name]]
    torch = {canonicalize_name(pin.name): pin for pin in pins("requirements-torch.txt")}
    locked = {**chosen("requirements.txt", machine), "torch": next(iter(torch["torch"].specifier)).version}
    for wanted in map(Requirement, [*project["dependencies"], *extras]):
        assert wanted.specifier.contains(locked[canonicalize_name(wanted.name)]), wanted
    for group, lock in (("build", "requirements-build.txt"), ("label-studio", "requirements-label-studio.txt")):
        for wanted in map(Requirement, groups[group]):
            assert wanted.specifier.contains(chosen(lock, machine)[canonicalize_name(wanted.name)]), wanted


def test_redis_below_python_3_11_3_has_what_it_needs_there() -> None:
    """redis imports async_timeout where asyncio has no timeout of its own."""
    for lock in ("requirements.txt", "requirements-web.txt", "requirements-label-studio.txt"):
        for machine in locks.machines():
            assert ("async-timeout" in chosen(lock, machine)) == (machine["python_full_version"] == "3.11.0"), lock


def test_what_is_installed_of_a_lock_finds_its_requirements_there() -> None:
    """Nothing that an installed package asks for is missing, on this machine, but what is left out on purpose."""
    from importlib.metadata import requires

    inside = {*chosen("requirements.txt", HERE), "torch"}
    left = {canonicalize_name(name) for name in locks.COMPANIONS}
    for name in inside:
        for further in map(Requirement, requires(name) or []):
            if further.marker is None or further.marker.evaluate({"extra": ""}):
                assert canonicalize_name(further.name) in inside | left, f"{name} needs {further}"


def test_everything_that_is_locked_is_what_runs_here() -> None:
    from importlib.metadata import version as installed

    for name, version in chosen("requirements.txt", HERE).items():
        assert installed(name) == version, name


def test_label_studio_has_the_release_that_was_measured() -> None:
    assert chosen("requirements-label-studio.txt", HERE)["label-studio"] == "1.23.2"


def test_a_package_of_two_locks_has_one_version() -> None:
    together = ("requirements.txt", "requirements-build.txt", "requirements-dev.txt", "requirements-web.txt")
    every = [chosen(lock, HERE) for lock in together]
    for name in {name for lock in every for name in lock}:
        assert len({lock[name] for lock in every if name in lock}) == 1, name


@pytest.mark.parametrize(
    ("marker", "shown"),
    [
        ("python_full_version < '3.15' and sys_platform != 'win32'", "one==1 \\\n    --hash=x\n"),
        (
            "python_full_version < '3.11.3' and implementation_name == 'cpython'",
            "one==1 ; python_full_version < '3.11.3' \\\n    --hash=x\n",
        ),
        ("platform_machine == 'x86_64'", "one==1 ; platform_machine == 'x86_64' \\\n    --hash=x\n"),
    ],
)
def test_a_marker_says_only_what_tells_the_machines_apart(marker: str, shown: str) -> None:
    assert locks.plain(f"one==1 ; {marker} \\\n    --hash=x\n") == shown
