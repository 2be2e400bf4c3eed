"""A whole pool finished in a real Label Studio with a promise about its errors, and taken back; two people answer each
task that is left to them. That it can be finished again is shown in `tests/backend/jobs/test_finish.py`."""

from __future__ import annotations

import pytest

from benchmarks.shared.annotator import Annotator, Json, ticked
from tests.e2e.configs import config_b, rows
from tests.e2e.stack import RETRAIN_AFTER, Stack
from tests.e2e.stories import colleague, connect, label_stream

pytestmark = pytest.mark.e2e


def test_a_pool_is_finished_with_a_promise(person: Annotator, stack: Stack) -> None:
    project = person.create_project("a promise", config_b(), sampling="Uncertainty sampling")
    person.import_tasks(project, rows(100))
    # one student: each further one would choose 20 more of the 100 tasks, as many as people can outrun
    connect(person, stack, project, extra_params={"TARGET_ERROR": 0.3, "RETRAIN_GROWTH": 10})
    label_stream(person, project, RETRAIN_AFTER)
    made = decide_until_promised(person, stack, project)
    people = {task["id"] for task in person.tasks(project) if task["annotations"]}
    person.patch_project(project, maximum_annotations=2)  # two are to decide what is left to people

    done = stack.command("finish", str(project))
    assert done.returncode == 0, done.stderr
    tasks = person.tasks(project)
    accepted = [task for task in tasks if task["annotations"] and task["id"] not in people]
    assert accepted
    assert all(len(task["annotations"]) <= 1 for task in tasks)
    assert all(marked(task) for task in accepted)
    assert not any(marked(task) for task in tasks if task["id"] in people)
    wrong = sum(ticked(task["annotations"][0]) != [task["data"]["gold"]] for task in tasks if task["annotations"])
    assert wrong <= made["promise"]["certificate"]["allowed"]
    stack.await_status(project, "its own annotations taken note of", at_rest)
    assert stack.status(project)["human_labels"] == len(people), "what a promise wrote is no decision of a person"

    other = colleague(person, "second@example.com")
    asked = [label_stream(other, project, 1)[0]["task"] for _ in range(3)]
    other.close()
    assert not set(asked) & {task["id"] for task in accepted}, "what nobody must see"
    assert all(task["is_labeled"] for task in accepted)

    assert stack.command("finish", str(project), "--undo").returncode == 0
    tasks = person.tasks(project)
    assert {task["id"] for task in tasks if task["annotations"]} == people | set(asked)
    assert not any(task["is_labeled"] for task in tasks if not task["annotations"])
    assert {task["overlap"] for task in tasks} == {2}, "two are asked about all of them again"


def decide_until_promised(person: Annotator, stack: Stack, project: int) -> Json:
    """Work through the queue as people do: the audit comes by itself, once the worker has caught up with them."""
    labelled = RETRAIN_AFTER

    def wants(status: Json) -> bool:
        return promised(status) or (status["human_labels"] == labelled and asks(status) > 0 and at_rest(status))

    while True:
        status = stack.await_status(project, "an audit that asks for something, or a promise", wants)
        if promised(status):
            return status
        labelled += len(label_stream(person, project, max(4, asks(status))))


def marked(task: Json) -> bool:
    """Whether the task's annotation says that no person has seen it."""
    return any("no person has seen it" in str(region.get("meta")) for region in task["annotations"][0]["result"])


def asks(status: Json) -> int:
    """How many tasks a look at the audit waits for; 0 before there is one."""
    found = status["promise"] or {}
    return int(found.get("audit_left", 0)) + int(found.get("chosen_left", 0))


def at_rest(status: Json) -> bool:
    """Whether nothing is being done: the stream then begins with what the newest labels leave to decide."""
    return all(job["state"] not in ("queued", "running") for job in status["jobs"])


def promised(status: Json) -> bool:
    """Whether there is a certificate."""
    return bool((status["promise"] or {}).get("certificate"))
