"""What the documents say is what the code does."""

from __future__ import annotations

import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from backend.cli import app
from model.teacher.prompting.prompts import TEMPLATE

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_the_settings_page_is_up_to_date() -> None:
    script = runpy.run_path(str(ROOT / "scripts" / "settings_table.py"))
    written = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert written == script["page"](), "run .venv/bin/python scripts/settings_table.py"


def test_the_reference_is_up_to_date() -> None:
    command = [sys.executable, "scripts/reference.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_template_to_begin_with_is_the_built_in_one() -> None:
    assert f"```\n{TEMPLATE}\n```" in (ROOT / "docs" / "how-to.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    targets = [target.split("#")[0] for target in re.findall(r"\]\(([^)]+)\)", text)]
    local = [target for target in targets if target and "://" not in target]
    assert [target for target in local if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_in_the_documents_exists(page: Path) -> None:
    """What stands in shell blocks is asked for its help, with its options: none may be unknown."""
    known: Any = typer.main.get_command(app)
    blocks = re.findall(r"```sh\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    for words in [shlex.split(line, comments=True) for line in lines if re.search(r"(^|/| )shortlist [a-z]", line)]:
        start = next(place for place, word in enumerate(words) if word.endswith("shortlist")) + 1
        command = known.commands.get(words[start])
        assert command is not None, words
        options = {name for one in command.params for name in [*one.opts, *one.secondary_opts]} | {"--help"}
        given = {word.partition("=")[0] for word in words[start + 1 :] if word.startswith("-")}
        assert given <= options, words
