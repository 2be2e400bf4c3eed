"""What happens to a project on the way: its labels change, events get lost, the backend dies, rules get strict."""

from __future__ import annotations

import pytest

from backend.pool.jobs import JobRow
from benchmarks.shared.annotator import Annotator, Json, choice, ticked
from benchmarks.shared.waiting import wait_for
from tests.e2e.configs import LABELS, config_a, rows
from tests.e2e.stack import RETRAIN_AFTER, Stack
from tests.e2e.stories import (
    await_predictions,
    await_shown,
    check_candidates,
    connect,
    label_space_is,
    label_stream,
    prediction_of,
    served_student,
    trained_after,
    versions_of,
)

pytestmark = pytest.mark.e2e
PRAISE = {"praise": "thanks, compliments"}


def test_a_changed_label_config_makes_old_versions_unservable(person: Annotator, stack: Stack) -> None:
    project = person.create_project("growing labels", config_a())
    person.import_tasks(project, rows(80))
    connect(person, stack, project)
    label_stream(person, project, RETRAIN_AFTER)
    old, _ = await_shown(person, stack, project, "a promoted student", served_student)

    wider = {**LABELS, **PRAISE}
    person.patch_project(project, label_config=config_a(wider))
    status = stack.await_status(project, "the new label", label_space_is(list(wider)))
    assert status["version"] != old
    assert status["version"].rsplit("-", 1)[1] != old.rsplit("-", 1)[1]
    wait_for("the old answers to go", lambda: old not in shown_versions(person, project), 600)
    student = stack.await_status(project, "a student of the new labels", trained_after(old))["version"]
    assert student.rsplit("-", 1)[1] == status["version"].rsplit("-", 1)[1]

    narrower = {name: hint for name, hint in LABELS.items() if name != "login"}
    person.patch_project(project, label_config=config_a(narrower))
    stack.await_status(project, "the removed label", label_space_is(list(narrower)))
    served, tasks = await_shown(
        person, stack, project, "a version of the fewer labels", lambda now: now["version"] != student
    )
    for task in tasks:
        if not task["annotations"]:
            assert "login" not in ticked(prediction_of(task, served))


def shown_versions(person: Annotator, project: int) -> list[str]:
    """Whose predictions the next task of the stream shows."""
    task = person.next_task(project)
    assert task is not None
    return [str(row["model_version"]) for row in task["predictions"]]


def test_lost_events_are_found_before_training(person: Annotator, stack: Stack) -> None:
    project = person.create_project("lost events", config_a())
    tasks = person.import_tasks(project, rows(60))
    connection = connect(person, stack, project)
    stack.await_status(project, "the first comparison", lambda _: is_done(stack.job(project, "sync")))
    first = stack.job(project, "sync")
    for webhook in person.webhooks(project):
        person.send("DELETE", f"/api/webhooks/{webhook['id']}/")
    shown = label_stream(person, project, 12)
    removed = person.submit(tasks[20], [choice(["login"])])
    person.delete(removed["id"])
    late = person.import_tasks(project, rows(64)[60:])
    compared = stack.job(project, "sync") != first  # by itself, after five minutes
    assert stack.status(project)["human_labels"] == 0 or compared

    person.start_training(connection["id"])
    status = stack.await_status(project, "a promoted student", served_student)
    assert status["human_labels"] == len(shown)
    assert status["tasks"] == 60 + len(late)
    await_predictions(person, project, status["version"])


def test_predictions_that_came_with_the_tasks_stay_on_screen_until_somebody_switches(
    person: Annotator, stack: Stack
) -> None:
    project = person.create_project("imported predictions", config_a())
    old = {"model_version": "old-model-3", "score": 0.5, "result": [choice(["login"])]}
    person.import_tasks(project, [{"data": row, "predictions": [old]} for row in rows(8)])
    assert person.project(project)["model_version"] == "old-model-3"
    said = " ".join(stack.command("connect", str(project)).stdout.split())
    assert "The project shows old-model-3, not teacher-" in said
    status = stack.await_status(project, "eight shortlists", lambda now: now["with_candidates"] == 8)
    stack.await_status(project, "the publishing", lambda _: is_done(stack.job(project, "publish")))
    published = stack.job(project, "publish")
    assert published is not None
    assert published.step.startswith(f"The project shows old-model-3, not {status['version']}")
    assert stack.status(project)["shows_ours"] is False

    assert stack.command("connect", str(project), "--show").returncode == 0
    assert person.project(project)["model_version"] == status["version"]
    stack.await_status(project, "ours on screen", lambda now: now["shows_ours"])
    person.patch_project(project, model_version="old-model-3")  # its owner's choice in Settings, Annotation
    stack.await_status(project, "the owner's choice", lambda now: now["on_screen"] == "old-model-3")
    person.patch_project(project, model_version=status["version"], show_collab_predictions=False)
    stack.await_status(project, "that predictions are hidden", lambda now: now["on_screen"] == "")


def is_done(row: JobRow | None) -> bool:
    """Whether a job's last run has ended well."""
    return row is not None and row.state == "idle"


def test_a_dead_backend_blocks_no_annotator(person: Annotator, stack: Stack) -> None:
    project = person.create_project("dead backend", config_a())
    person.import_tasks(project, rows(40))
    connect(person, stack, project)
    version = stack.await_status(project, "the teacher's version", lambda status: status["version"])["version"]
    await_predictions(person, project, version)
    stack.kill("web")
    task = person.next_task(project)
    assert task is not None
    person.submit(task["id"], [choice([task["data"]["gold"]])])
    stack.start_web()
    assert stack.status(project)["version"] == version
    task = person.next_task(project)
    assert task is not None
    check_candidates(prediction_of(task, version), set(LABELS))
    person.submit(task["id"], [choice([task["data"]["gold"]])])
    stack.await_status(project, "the label after the crash", lambda status: status["human_labels"] >= 1)


def test_what_was_asked_live_is_not_sent_again(person: Annotator, stack: Stack) -> None:
    stack.kill("worker")
    try:
        project = person.create_project("eager annotator", config_a())
        first, *_ = person.import_tasks(project, rows(20))
        connect(person, stack, project)
        shown = wait_for("a live answer", lambda: open_first(person, project), 600)
        assert shown["task"] == first
    finally:
        stack.start_worker()
    for task in await_predictions(person, project, shown["model_version"]):
        assert versions_of(task) == {shown["model_version"]: 1}


def open_first(person: Annotator, project: int) -> Json | None:
    """Open the label stream; what is shown, None if nothing is."""
    task = person.next_task(project)
    assert task is not None
    return task["predictions"][0] if task["predictions"] else None


def test_an_unsupported_config_is_refused_in_words(person: Annotator, stack: Stack) -> None:
    config = '<View><Text name="text" value="$text"/><Choices name="label" toName="text" value="$options"/></View>'
    project = person.create_project("dynamic choices", config)
    with pytest.raises(Exception, match=r"label.*task data"):
        connect(person, stack, project)
