"""Every command explains itself: what it does, with an example that it would accept, and JSON for programs."""

from __future__ import annotations

import itertools
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer
from typer._completion_shared import get_completion_script
from typer.testing import CliRunner

from backend.cli import app
from backend.queue.kinds import QUEUES

GROUP: Any = typer.main.get_command(app)


def flat(group: Any, before: str = "") -> dict[str, Any]:
    """Every command under its whole name, those of groups included."""
    found: dict[str, Any] = {}
    for name, command in group.commands.items():
        found |= flat(command, f"{before}{name} ") if hasattr(command, "commands") else {f"{before}{name}": command}
    return found


COMMANDS = flat(GROUP)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_help_shows_an_example_that_is_accepted(name: str) -> None:
    command = COMMANDS[name]
    lines = [line.strip() for line in (command.help or "").splitlines()]
    examples = [line.removeprefix("Example: ") for line in lines if line.startswith("Example: ")]
    assert examples, name
    for example in examples:
        first, *words = itertools.dropwhile(re.compile(r"[A-Z_]+=").match, shlex.split(example))
        size = len(name.split())
        assert (first, " ".join(words[:size])) == ("shortlist", name)
        command.make_context(name, words[size:])  # raises where it would be refused
    assert all(one.help for one in command.params if one.name != "help"), name


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_prints_for_programs(name: str) -> None:
    assert "--json" in {opt for one in COMMANDS[name].params for opt in one.opts}


def test_a_wrong_option_ends_with_2_and_a_hint() -> None:
    found = CliRunner().invoke(app, ["train", "7", "--wiat"])
    assert found.exit_code == 2
    assert "--wait" in found.output


@pytest.mark.parametrize(
    ("shell", "asked", "line"),
    [
        ("bash", {"COMP_WORDS": "shortlist ex", "COMP_CWORD": "1"}, "export"),
        ("zsh", {"_TYPER_COMPLETE_ARGS": "shortlist ex"}, "export"),
        ("fish", {"_TYPER_COMPLETE_ARGS": "shortlist ex", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}, "export"),
        ("bash", {"COMP_WORDS": "shortlist template on", "COMP_CWORD": "2"}, "one-label"),
        ("bash", {"COMP_WORDS": "shortlist worker tr", "COMP_CWORD": "2"}, "train"),
    ],
)
def test_a_shell_is_told_how_a_word_goes_on(shell: str, asked: dict[str, str], line: str) -> None:
    environment = {"_SHORTLIST_COMPLETE": f"complete_{shell}", **asked}
    done = CliRunner().invoke(app, [], prog_name="shortlist", env=environment)
    assert line in done.output
    assert "versions" not in done.output


@pytest.mark.skipif(shutil.which("zsh") is None, reason="needs zsh")
def test_zsh_completes_at_the_first_tab_what_was_typed(tmp_path: Path) -> None:
    """The script as a function of zsh that it loads at the first Tab; the program is one that is not on PATH."""
    program = tmp_path / "shortlist"
    program.write_text('#!/bin/sh\necho "print -r -- $_SHORTLIST_COMPLETE: $_TYPER_COMPLETE_ARGS"\n')
    program.chmod(0o755)
    script = get_completion_script(prog_name="shortlist", complete_var="_SHORTLIST_COMPLETE", shell="zsh")
    (tmp_path / "_shortlist").write_text(script)
    setup = f"fpath=({tmp_path}); compdef() {{ }}; autoload -Uz _shortlist; words=({program} ex); CURRENT=2; _shortlist"
    done = subprocess.run(["zsh", "-f", "-c", setup], capture_output=True, text=True, check=True)
    assert done.stdout == f"complete_zsh: {program} ex\n"


def test_the_queues_of_a_worker_are_named_in_its_help() -> None:
    (queues,) = [one for one in COMMANDS["worker"].params if one.name == "queues"]
    assert all(name in queues.help for name in QUEUES)
