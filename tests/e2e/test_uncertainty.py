"""Label Studio's own uncertainty sampling follows our scores and the head of the queue that the student chooses."""

from __future__ import annotations

import pytest

from benchmarks.shared.annotator import Annotator, Json
from benchmarks.shared.waiting import wait_for
from tests.e2e.configs import config_a, rows
from tests.e2e.stack import RETRAIN_AFTER, Stack
from tests.e2e.stories import await_shown, connect, label_stream, prediction_of, served_student

pytestmark = pytest.mark.e2e


def test_the_label_stream_follows_the_acquisition_score(person: Annotator, stack: Stack) -> None:
    project = person.create_project("close calls first", config_a(), sampling="Uncertainty sampling")
    person.import_tasks(project, rows(120))
    connect(person, stack, project, extra_params={"SCORE": "acquisition"})
    person.retrieve_predictions(project)
    teacher, tasks = await_shown(person, stack, project, "the teacher's version")
    scores = scores_of(tasks, teacher)
    first = person.next_task(project)
    assert first is not None
    assert scores[first["id"]] == min(scores.values())

    label_stream(person, project, RETRAIN_AFTER)
    student, _ = await_shown(person, stack, project, "a promoted student", served_student)
    head = wait_for("the head of the queue", lambda: marked(person, project, student), 600)
    assert len(head) == 20
    shown = label_stream(person, project, 6)
    expected = sorted(head.values())[:6]
    assert [row["prediction"]["model_version"] for row in shown] == [student] * 6
    assert {row["task"] for row in shown} <= set(head)
    assert [head[row["task"]] for row in shown] == pytest.approx(expected)


def scores_of(tasks: list[Json], version: str) -> dict[int, float]:
    """The score of each task that nobody has labelled."""
    return {task["id"]: prediction_of(task, version)["score"] for task in tasks if not task["annotations"]}


def marked(person: Annotator, project: int, version: str) -> dict[int, float] | None:
    """The scores of the tasks whose prediction has a cluster; None until there are 20 of them."""
    open_tasks = [task for task in person.tasks(project) if not task["annotations"]]
    rows = {task["id"]: prediction_of(task, version) for task in open_tasks}
    found = {task: row["score"] for task, row in rows.items() if row["cluster"] is not None}
    return found if len(found) == 20 else None
