from __future__ import annotations

import json
from dataclasses import replace

import pytest
import sqlalchemy as sa

from backend.errors import ProjectError
from backend.pool import annotations, classifiers, projects, rulings, versions
from tests.backend.commands.projects.conftest import SPACE, Run
from tests.support.samples import labelled

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
    assert "Lost their seats when the labels changed, as their maps lead to former ones: hub/old\n" in said
    (row,) = json.loads(run("committee", "show", "7", "--json").stdout)["classifiers"]
    assert row["map"] == {"NEG": "refund", "NEU": None}


def test_what_was_not_proposed_cannot_be_confirmed(run: Run, proposed: sa.Engine) -> None:
    result = run("committee", "confirm", "7", "hub/unheard")
    assert isinstance(result.exception, ProjectError)
    assert "hub/unheard was not proposed; proposed are hub/moods" in str(result.exception)


def test_a_dismissed_one_is_gone(run: Run, proposed: sa.Engine) -> None:
    assert "hub/moods dismissed" in run("committee", "dismiss", "7", "hub/moods").stdout
    said = run("committee", "show", "7").stdout
    assert "This project trains one student; `shortlist connect 7 --option MODE=committee`" in said
    assert "no classifier is proposed" in said
    assert isinstance(run("committee", "dismiss", "7", "hub/moods").exception, ProjectError)


def test_who_votes_is_shown(run: Run, pool: sa.Engine) -> None:
    said = run("committee", "show", "7", MODE="committee").stdout
    assert "the next training seats student, words, names (`shortlist train 7`)" in said
    found = {"members": ["words", "names"], "weights": [0.8, 0.2],
             "compared": {"rows": 40, "voted": [40, 40], "right": [30, 10], "same": [[1.0, 0.3], [0.3, 1.0]]},
             "gates": {"names": {"promoted": False, "reason": "less accurate"}}}  # fmt: skip
    version = f"committee-5-{SPACE.hash}"
    versions.add(pool, 7, version, 5, SPACE.hash, {"training": {"found": found}}, 40)
    projects.promote(pool, 7, version)
    rulings.save(pool, 7, version, {1: "committee", 2: "llm", 3: "people", 4: "committee"})
    row = replace(labelled(9, 4, "refund"), shown_version=version, shown_labels=("refund",))
    annotations.save(pool, 7, [row])
    said = run("committee", "show", "7").stdout
    assert f"{version} is served:\n  words: weight 0.80, right on 75% of 40 labels of people\n" in said
    assert "names: weight 0.20, right on 25% of 40 labels of people; its last training was refused" in said
    assert "1 by the votes (right on 100% of 1 that people checked), 1 by teacher and votes together, " in said
    assert "1 by nobody, left to people, 1 by people\n" in said
    seated = json.loads(run("committee", "show", "7", "--json").stdout)["members"]
    assert seated[0]["agrees"] == {"words": 1.0, "names": 0.3}
