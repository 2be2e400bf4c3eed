import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from backend.cli import complain
from backend.commands.start.data_dir import prepare

COMMANDS = ("start", "serve", "worker", "annotate", "train", "versions", "rollback")


def shortlist(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-m", "backend", *arguments],
        cwd=cwd,
        env={
            **inherited,
            "XDG_STATE_HOME": str(cwd),
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "COLUMNS": "200",
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_help_lists_every_command(tmp_path: Path) -> None:
    result = shortlist("--help", cwd=tmp_path)
    assert result.returncode == 0
    for command in COMMANDS:
        assert f" {command} " in result.stdout
    one = shortlist("versions", "--help", cwd=tmp_path)
    assert one.returncode == 0
    assert "Example: shortlist versions" in one.stdout


def test_the_version_is_printed(tmp_path: Path) -> None:
    from importlib.metadata import version

    result = shortlist("--version", cwd=tmp_path)
    assert result.returncode == 0
    assert result.stdout.strip() == version("shortlist")


def test_an_expected_error_is_one_line_and_exit_code_1(tmp_path: Path) -> None:
    result = shortlist("serve", cwd=tmp_path, PORT="many")
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("shortlist: setting PORT: ")


def test_help_works_with_malformed_settings(tmp_path: Path) -> None:
    assert shortlist("versions", "--help", cwd=tmp_path, PORT="many").returncode == 0


def test_a_wrong_option_is_a_usage_error(tmp_path: Path) -> None:
    result = shortlist("serve", "--no-such-option", cwd=tmp_path)
    assert result.returncode == 2
    assert "Traceback" not in result.stderr


def test_messages_of_several_lines_become_one(capsys: pytest.CaptureFixture[str]) -> None:
    complain("first\n  second")
    assert capsys.readouterr().err == "shortlist: first second\n"


@pytest.mark.parametrize("module", ["backend.cli", "backend.__main__"])
def test_the_command_line_starts_light(tmp_path: Path, module: str) -> None:
    program = f"import sys, json, {module}; print(json.dumps(sorted(sys.modules)))"
    root = str(Path(__file__).parents[2])
    result = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True)
    loaded = set(json.loads(result.stdout))
    assert not loaded & {
        "torch",
        "transformers",
        "label_studio_sdk",
        "openai",
        "anthropic",
        "pandas",
        "sklearn",
        "sqlalchemy",
        "redis",
        "httpx",
    }


def test_commands_find_the_instance_that_runs_on_the_data_folder(tmp_path: Path) -> None:
    data = prepare(tmp_path / "data")
    data.announce({"REDIS_URL": "redis://127.0.0.1:1/0", "DATABASE_URL": f"sqlite:///{tmp_path}/its.sqlite"})
    try:
        found = shortlist("versions", "7", cwd=tmp_path)
    finally:
        data.release()
    assert found.returncode == 1
    assert f"project 7 is unknown in sqlite:///{tmp_path}/its.sqlite; none is connected yet" in found.stderr
    assert "connect it with `shortlist connect 7`" in found.stderr
