from __future__ import annotations

import json

import pytest
import sqlalchemy as sa

from backend.errors import ProjectError
from backend.pool import classifiers
from tests.backend.commands.projects.conftest import SPACE, Run

TRIAL = {"rows": 40, "voted": 0.9, "right": 0.8, "low": 0.66, "high": 0.9, "usual": 0.5}


@pytest.fixture
def proposed(pool: sa.Engine) -> sa.Engine:
    """One proposal with a trial, one of other labels."""
    row = classifiers.ClassifierRow(
        "hub/moods", SPACE.hash, {"NEG": "refund", "NEU": None}, False, "openai:x", "fits", TRIAL
    )
    classifiers.propose(pool, 7, [row])
    classifiers.save(pool, 7, classifiers.ClassifierRow("hub/old", "000000", {}, True, "names", ""))
    return pool


def test_what_is_proposed_is_shown_with_map_and_trial(run: Run, proposed: sa.Engine) -> None:
    said = run("committee", "show", "7").stdout
    assert "hub/moods: proposed by openai:x; fits; licence unknown; on 40 labels of people" in said
    assert "it votes on 90% and is right on 80%" in said
    assert "better than always the most frequent label (50%)" in said
    assert "NEG -> refund" in said
    assert "NEU -> (abstains)" in said
    assert "`shortlist committee confirm 7 CLASSIFIER`" in said
    assert "hub/old" not in said  # its map leads to labels that the project no longer has
    (row,) = json.loads(run("committee", "show", "7", "--json").stdout)["classifiers"]
    assert row["map"] == {"NEG": "refund", "NEU": None}


def test_what_was_not_proposed_cannot_be_confirmed(run: Run, proposed: sa.Engine) -> None:
    result = run("committee", "confirm", "7", "hub/unheard")
    assert isinstance(result.exception, ProjectError)
    assert "hub/unheard was not proposed; proposed are hub/moods" in str(result.exception)


def test_a_dismissed_one_is_gone(run: Run, proposed: sa.Engine) -> None:
    assert "hub/moods dismissed" in run("committee", "dismiss", "7", "hub/moods").stdout
    assert "nothing is proposed yet" in run("committee", "show", "7").stdout
    assert isinstance(run("committee", "dismiss", "7", "hub/moods").exception, ProjectError)
