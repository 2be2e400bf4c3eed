import json

import sqlalchemy as sa

from backend.errors import ProjectError
from backend.pool import projects
from tests.backend.commands.projects.conftest import Run, name


def test_versions_are_listed_newest_first_with_the_served_one_marked(run: Run) -> None:
    lines = run("versions", "7").stdout.splitlines()
    assert lines[0] == f"Project 7 (tickets) serves {name(4)}"
    assert [line.split()[0] for line in lines[1:]] == ["*", name(3), name(2), "student-1-old"]
    assert "40 human labels" in lines[1]
    assert "accuracy not known" in lines[1]


def test_programs_get_json(run: Run) -> None:
    content = json.loads(run("versions", "7", "--json").stdout)
    assert content["served"] == name(4)
    assert [row["version"] for row in content["versions"]][:2] == [name(4), name(3)]


def test_a_project_without_students_says_how_to_train_one(run: Run, pool: sa.Engine) -> None:
    known = projects.get(pool, 7)
    assert known is not None
    projects.save_config(pool, 8, "1", "new", "<View/>", known.space, "", {})
    assert "No student was trained yet; `shortlist train 8` trains one" in run("versions", "8").stdout


def test_an_unknown_project_is_named_with_the_known_ones(run: Run) -> None:
    result = run("versions", "9")
    assert isinstance(result.exception, ProjectError)
    assert "pool.sqlite; known are 7 (tickets); connect it with" in str(result.exception)
