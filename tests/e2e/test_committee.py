"""MODE=committee inside a real Label Studio: members vote, a committee is served, and each task has a decider."""

from __future__ import annotations

import pytest

from benchmarks.shared.annotator import Annotator, Json, ticked
from tests.e2e.configs import LABELS, config_a, rows
from tests.e2e.stack import RETRAIN_AFTER, Stack
from tests.e2e.stories import await_predictions, connect, label_stream, prediction_of

pytestmark = pytest.mark.e2e
TASKS, LABELLED = 60, RETRAIN_AFTER


def served_committee(status: Json) -> bool:
    """Whether a committee is served, and it is known who decided each of its tasks."""
    decided = status["decided_by"] or {}
    return str(status["version"]).startswith("committee-") and sum(decided.values()) >= TASKS


def test_a_committee_is_served_and_every_task_has_a_decider(person: Annotator, stack: Stack) -> None:
    project = person.create_project("tickets for a committee", config_a())
    person.import_tasks(project, rows(TASKS))
    connect(person, stack, project, extra_params={"MODE": "committee", "COMMITTEE": "student,words,names"})
    stack.await_status(project, "all candidates", lambda status: status["with_candidates"] == TASKS)
    label_stream(person, project, LABELLED)
    status = stack.await_status(project, "a served committee", served_committee)
    version, decided = status["version"], status["decided_by"]
    assert version.startswith("committee-1-")
    assert decided["person"] == LABELLED
    assert sum(decided.values()) == TASKS
    assert decided["committee"] > 0
    assert set(decided) <= {"committee", "llm", "fallback", "people", "unresolved", "person"}
    for task in await_predictions(person, project, version):
        if not task["annotations"]:
            (label,) = ticked(prediction_of(task, version))
            assert label in LABELS
    stack.await_status(project, "the rename", lambda _: person.project(project)["model_version"] == version)
