import json

import pytest
import sqlalchemy as sa

from backend.errors import ProjectError
from backend.pool import jobs, projects, versions
from backend.pool.projects import Project
from backend.projects.actions import choose
from tests.backend.commands.projects.conftest import SPACE, Run, name


def project(pool: sa.Engine) -> Project:
    found = projects.get(pool, 7)
    assert found is not None
    return found


def test_the_version_before_the_present_one_is_served_and_published(run: Run, pool: sa.Engine) -> None:
    result = run("rollback", "7")
    assert result.exit_code == 0, result.output
    assert f"Project 7 (tickets) serves {name(3)} instead of {name(4)}" in result.stdout
    assert project(pool).served == name(3)
    states = {row.version: row.state for row in versions.list_versions(pool, 7)}
    assert (states[name(3)], states[name(4)]) == ("promoted", "retired")
    assert jobs.get(pool, 7)["publish"].state == "queued"


def test_twice_goes_back_two_versions_and_then_there_is_none(run: Run, pool: sa.Engine) -> None:
    assert run("rollback", "7").exit_code == 0
    assert run("rollback", "7").exit_code == 0
    assert project(pool).served == name(2)
    result = run("rollback", "7")
    assert isinstance(result.exception, ProjectError)
    assert "no older version to go back to" in str(result.exception)


def test_a_named_version_is_served_also_a_newer_one(run: Run, pool: sa.Engine) -> None:
    run("rollback", "7", name(2))
    content = json.loads(run("rollback", "7", name(4), "--json").stdout)
    assert content == {"project": 7, "before": name(2), "served": name(4), "publish": "joined"}
    assert project(pool).served == name(4)


def test_a_version_that_waits_to_be_published_does_not_undo_it(run: Run, pool: sa.Engine) -> None:
    versions.add(pool, 7, name(5), 5, SPACE.hash, {}, 50)
    versions.set_state(pool, 7, name(5), "publishing", "better")
    run("rollback", "7")
    waiting = versions.get(pool, 7, name(5))
    assert waiting is not None
    assert waiting.state == "retired"
    assert f"{name(3)} was chosen instead" in waiting.reason


def test_versions_of_other_labels_and_unknown_ones_are_refused(pool: sa.Engine) -> None:
    rows = versions.list_versions(pool, 7)
    with pytest.raises(ProjectError, match=f"no version 'student-1-old' for its labels; it has {name(4)}"):
        choose(project(pool), rows, "student-1-old")
    with pytest.raises(ProjectError, match="no version 'nonsense'"):
        choose(project(pool), rows, "nonsense")


def test_versions_that_were_never_served_are_not_chosen_by_themselves(pool: sa.Engine) -> None:
    versions.add(pool, 7, name(5), 5, SPACE.hash, {}, 50)
    projects.promote(pool, 7, name(5))
    rows = [row for row in versions.list_versions(pool, 7) if row.number != 4]
    assert choose(project(pool), rows, "") == name(3)
