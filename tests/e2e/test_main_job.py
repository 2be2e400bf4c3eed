"""The main job on a real Label Studio: candidates are ticked, people decide, a student's single label comes back."""

from __future__ import annotations

import os

import pytest

from benchmarks.shared.annotator import Annotator, choice, ticked
from benchmarks.shared.waiting import wait_for
from tests.e2e.configs import LABELS, config_a, config_b, rows
from tests.e2e.stack import RETRAIN_AFTER, Stack
from tests.e2e.stories import (
    await_predictions,
    check_candidates,
    connect,
    label_stream,
    prediction_of,
    served_student,
    trained_after,
    versions_of,
)

pytestmark = pytest.mark.e2e
MANY = int(os.environ.get("MANY_TASKS", "600"))  # in steps of 200; Label Studio takes 50 ms for each


def test_from_import_to_a_students_single_label(person: Annotator, stack: Stack) -> None:
    project = person.create_project("tickets A", config_a())
    tasks = person.import_tasks(project, rows(120))
    connection = connect(person, stack, project)
    assert connection["state"] == "CO", connection
    teacher = stack.await_status(project, "the teacher's version", lambda status: status["version"])["version"]
    assert teacher.startswith("teacher-")

    person.retrieve_predictions(project)
    for task in await_predictions(person, project, teacher):
        check_candidates(prediction_of(task, teacher), set(LABELS))
    status = stack.await_status(project, "all candidates", lambda status: status["with_candidates"] == 120)
    assert (status["phase"], status["tasks"], status["label_space"]) == ("teacher", 120, list(LABELS))
    assert 1 <= status["mean_candidates"] <= 5

    shown = label_stream(person, project, RETRAIN_AFTER)  # one more, and a student might be there
    assert [row["task"] for row in shown] == tasks[:RETRAIN_AFTER]
    assert all(row["prediction"]["model_version"] == teacher for row in shown)
    status = stack.await_status(project, "a promoted student", served_student)
    student = status["version"]
    assert student.startswith("student-1-")
    assert status["human_labels"] == RETRAIN_AFTER
    assert status["teacher"]["human_checked"] > 0

    for task in await_predictions(person, project, student):
        if not task["annotations"]:
            assert versions_of(task) == {teacher: 1, student: 1}
            assert len(ticked(prediction_of(task, student))) == 1
    check_everything_follows_the_version(person, stack, project, student)
    check_opening_stores_nothing(person, project)
    check_second_student(person, stack, project, student)


def check_everything_follows_the_version(person: Annotator, stack: Stack, project: int, version: str) -> None:
    """Title, score column and label stream speak of the served version."""
    stack.await_status(project, "the rename", lambda _: person.project(project)["model_version"] == version)
    assert [row["title"] for row in person.connections(project)] == [version]
    task = person.next_task(project)
    assert task is not None
    assert [row["model_version"] for row in task["predictions"]] == [version]


def check_opening_stores_nothing(person: Annotator, project: int) -> None:
    """Five openings of a task, in the stream and in the Data Manager, leave its predictions as they are."""
    task = person.next_task(project)
    assert task is not None
    before = person.open_task(project, task["id"])["predictions"]
    for _ in range(5):
        again = person.next_task(project)
        assert again is not None
        assert again["id"] == task["id"]
        assert person.open_task(project, task["id"])["predictions"] == before


def check_second_student(person: Annotator, stack: Stack, project: int, first: str) -> None:
    """Start training promotes another version, and no task has two rows of one version."""
    shown = label_stream(person, project, 6)
    assert {row["prediction"]["model_version"] for row in shown} == {first}
    status = stack.await_status(project, "six checked", lambda status: status["student"]["human_checked"] == 6)
    right = sum(ticked(row["prediction"]) == [row["gold"]] for row in shown)
    assert status["student"]["accuracy"] == pytest.approx(right / 6)
    (connection,) = person.connections(project)
    person.start_training(connection["id"])
    status = stack.await_status(project, "the second student", trained_after(first))
    assert status["version"].startswith("student-2-")
    tasks = await_predictions(person, project, status["version"])
    assert max(max(versions_of(task).values(), default=1) for task in tasks) == 1
    check_everything_follows_the_version(person, stack, project, status["version"])


def test_one_final_label_behind_a_login(person: Annotator, guarded: Stack) -> None:
    project = person.create_project("tickets B", config_b())
    person.import_tasks(project, rows(80))
    linked = guarded.command("connect", str(project))
    assert linked.returncode == 0, linked.stdout + linked.stderr
    (webhook,) = person.webhooks(project)
    assert webhook["headers"]["Authorization"].startswith("Basic ")

    teacher = guarded.await_status(project, "the teacher's version", lambda status: status["version"])["version"]
    for task in await_predictions(person, project, teacher):
        prediction = prediction_of(task, teacher)
        lines, final = prediction["result"]
        assert lines["type"] == "textarea"
        assert 1 <= len(lines["value"]["text"]) <= 5
        assert len(final["value"]["choices"]) == 1

    for row in label_stream(person, project, RETRAIN_AFTER):
        assert row["prediction"]["model_version"] == teacher
    status = guarded.await_status(project, "a promoted student", served_student)
    assert status["human_labels"] == RETRAIN_AFTER
    for task in await_predictions(person, project, status["version"]):
        if not task["annotations"]:
            assert len(ticked(prediction_of(task, status["version"]))) == 1


@pytest.mark.timeout(900)
def test_many_tasks_are_retrieved_in_one_request(person: Annotator, stack: Stack) -> None:
    project = person.create_project("many tickets", config_a())
    person.import_tasks(project, [row for _ in range(MANY // 200) for row in rows(200)])
    connect(person, stack, project)
    person.retrieve_predictions(project)
    version = stack.await_status(project, "the teacher's version", lambda status: status["version"])["version"]
    wait_for("all predictions", lambda: person.waiting_for(project, version) == 0, 600)
    assert person.project(project)["total_predictions_number"] == MANY
    person.retrieve_predictions(project)
    assert person.project(project)["total_predictions_number"] == MANY


def test_skips_updates_and_deletions_arrive(person: Annotator, stack: Stack) -> None:
    project = person.create_project("changing minds", config_a())
    first, second, third, fourth = person.import_tasks(project, rows(4))
    connect(person, stack, project)
    one = person.submit(first, [choice(["billing", "refund"])])
    two = person.submit(second, [choice(["refund"])])
    person.skip(third)
    person.submit(fourth, [choice(["login"])])
    stack.await_status(project, "three labels, one skipped", lambda status: status["human_labels"] == 3)
    person.update(one["id"], [choice(["billing"])])
    person.delete(two["id"])
    stack.await_status(project, "one label less", lambda status: status["human_labels"] == 2)
    person.delete_tasks(project, [fourth])
    stack.await_status(project, "one task less", lambda now: (now["tasks"], now["human_labels"]) == (3, 1))
    person.delete_annotations(project, [first])
    stack.await_status(project, "no label", lambda status: status["human_labels"] == 0)
