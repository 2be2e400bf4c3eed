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
FOR_PEOPLE = sorted((ROOT / "docs").glob("*.md"))
MEASURED = sorted((ROOT / "docs" / "evidence").glob("*.json"))
EVIDENCE = [page.with_suffix(".md") for page in MEASURED]  # pages of facts about others have no figures of ours
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *FOR_PEOPLE, *EVIDENCE]
MOST_WORDS = 9_500  # of docs/*.md in all: what somebody reads who installs, uses, runs and understands it
CONCLUSION_LINES = 5


def test_the_settings_page_is_up_to_date() -> None:
    script = runpy.run_path(str(ROOT / "scripts" / "settings_table.py"))
    written = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert written == script["page"](), "run .venv/bin/python scripts/settings_table.py"


def test_the_reference_is_up_to_date() -> None:
    command = [sys.executable, "scripts/reference.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_tables_of_the_evidence_are_what_their_json_says() -> None:
    command = [sys.executable, "-m", "benchmarks.shared.tables", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", EVIDENCE, ids=lambda page: page.name)
def test_evidence_opens_with_its_conclusion_and_one_table(page: Path) -> None:
    title, conclusion, block = page.read_text(encoding="utf-8").split("\n\n", maxsplit=2)
    assert title.startswith("# ")
    assert len(conclusion.splitlines()) <= CONCLUSION_LINES
    assert block.startswith("<!-- ")
    headings = re.findall(r"^## (.+)$", block, re.MULTILINE)
    assert headings[0] == "Method"
    assert any(heading.startswith("What failed") for heading in headings), headings


def test_the_documents_for_people_can_be_read_in_an_hour() -> None:
    words = {page.name: len(page.read_text(encoding="utf-8").split()) for page in FOR_PEOPLE}
    assert sum(words.values()) <= MOST_WORDS, words


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
