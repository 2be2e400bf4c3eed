"""`shortlist estimate` and `shortlist annotate --dry-run`, as people run them."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa

from backend.errors import SettingsError
from backend.pool import tasks
from model.teacher.errors import TeacherRefused
from tests.backend.commands.projects.conftest import Run

LLM = {"TEACHER": "openai:gpt-6-luna", "OPENAI_API_KEY": "sk-test-0123456789", "EXAMPLES": "none"}


@pytest.fixture(autouse=True)
def texts(pool: sa.Engine) -> None:
    tasks.add(pool, 7, {1: "where is my parcel", 2: "I want my money back"})


def test_a_price_for_people_and_for_programs(run: Run) -> None:
    shown = run("estimate", "--project", "7", **LLM)
    assert shown.exit_code == 0, shown.output
    assert "2 tasks for openai:gpt-6-luna" in shown.stdout
    assert "through the batch API" in shown.stdout
    content = json.loads(run("estimate", "7", "--json", **LLM).stdout)
    assert (content["project"], content["tasks"], content["calls"]) == (7, 2, 2)
    assert content["prices"]
    assert "costs nothing" in run("estimate", "7").stdout


def test_what_is_missing_is_said(run: Run) -> None:
    assert isinstance(run("estimate").exception, SettingsError)
    unknown = run("estimate", "7", **{**LLM, "TEACHER": "openai:nobody-knows"})
    assert isinstance(unknown.exception, TeacherRefused)


def test_a_dry_run_prints_the_prompt(run: Run) -> None:
    shown = run("annotate", "7", "--dry-run", "--task", "2", **LLM).stdout
    assert "<text>\nI want my money back\n</text>" in shown
    assert '- "refund"' in shown
    assert LLM["OPENAI_API_KEY"] not in shown
    content = json.loads(run("annotate", "7", "--dry-run", "--json", **LLM).stdout)
    assert content["task"] == 1
