"""The person of the other tests behaves as the user interface does."""

from __future__ import annotations

import pytest

from benchmarks.shared.annotator import Annotator, choice, ticked
from tests.e2e.configs import config_a, rows

pytestmark = pytest.mark.e2e


def test_a_person_labels_skips_updates_and_deletes(person: Annotator) -> None:
    project = person.create_project("tickets by hand", config_a())
    first, second = person.import_tasks(project, rows(2))
    regions = [choice(["billing", "refund"])]
    row = {"task": first, "result": regions, "score": 0.6, "model_version": "by-hand-1"}
    assert person.import_predictions(project, [row]) == 1
    person.patch_project(project, model_version="by-hand-1")

    assert person.waiting_for(project, "by-hand-1") == 1
    task = person.next_task(project)
    assert task is not None
    assert task["id"] == first
    shown = task["predictions"][0]
    assert ticked(shown) == ["billing", "refund"]
    annotation = person.submit(first, [choice(["billing"], origin="prediction-changed")], shown)
    assert annotation["parent_prediction"] == shown["id"]

    assert person.waiting_for(project, "by-hand-2") == 1
    assert person.skip(second)["was_cancelled"] is True
    assert person.update(annotation["id"], [choice(["refund"])])["result"][0]["value"] == {"choices": ["refund"]}
    person.delete(annotation["id"])
    assert [len(task["annotations"]) for task in person.tasks(project)] == [0, 1]
    person.delete_tasks(project, [second])
    assert [task["id"] for task in person.tasks(project)] == [first]
    person.delete_project(project)
    assert project not in [row["id"] for row in person.projects()]
