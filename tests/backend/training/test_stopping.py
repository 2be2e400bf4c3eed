"""When more labels or calls have stopped to pay: shares of changed answers over stored versions, on both databases."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from backend.pool import predictions, versions
from backend.pool.figures import Checked
from backend.training import stopping
from backend.training.stopping import advice, note_changes

SPACE = "abcdef"


def add(
    engine: sa.Engine, number: int, labels: int, asked: int, answers: dict[int, str], state: str = "promoted"
) -> str:
    """A version with its answers, compared with the older ones."""
    version = f"student-{number}-{SPACE}"
    versions.add(engine, 7, version, number, SPACE, {"asked": asked}, labels)
    versions.set_state(engine, 7, version, state, "")
    predictions.save(engine, 7, version, [(task, "h", label, 0.9) for task, label in answers.items()])
    note_changes(engine, 7, version)
    return version


def answers(changed: int, number: int = 200) -> dict[int, str]:
    return {task: "refund" if task < changed else "billing" for task in range(number)}


def test_only_tasks_with_the_same_text_that_both_answered_are_compared(engine: sa.Engine) -> None:
    predictions.save(engine, 7, "student-1-x", [(1, "h", "a", 0.5), (2, "h", "a", 0.5), (3, "h", "a", 0.5)])
    predictions.save(engine, 7, "student-2-x", [(2, "h", "b", 0.5), (3, "edited", "b", 0.5), (4, "h", "b", 0.5)])
    predictions.save(engine, 8, "student-2-x", [(1, "h", "b", 0.5)])
    assert predictions.compared(engine, 7, "student-1-x", "student-2-x") == (1, 1)
    assert predictions.compared(engine, 7, "student-1-x", "student-9-x") == (0, 0)


def test_labels_that_change_nothing_more_have_stopped_to_pay(engine: sa.Engine) -> None:
    add(engine, 1, 40, 100, answers(0))
    add(engine, 2, 50, 200, answers(60))  # knows too little more for a comparison of human labels
    third = add(engine, 3, 60, 200, answers(30))
    rows = versions.list_versions(engine, 7)
    assert rows[0].metrics["changed"]["people"] == {"with": f"student-1-{SPACE}", "tasks": 200, "share": 0.15}
    assert (advice(rows, {}, "people")["stop"], advice(rows, {}, "people")["stopped_at"]) == (None, None)
    add(engine, 4, 90, 200, answers(32))
    rows = versions.list_versions(engine, 7)
    found = advice(rows, {third: Checked(10, 8, 9)}, "people")
    assert found["stop"] is False
    assert found["reason"].endswith("changed 1.0% of the student's answers: more of them still pay")
    assert [point["changed"] for point in found["curve"]] == [None, None, 0.15, 0.01]
    assert [point["accuracy"] for point in found["curve"]] == [None, None, 0.8, None]
    add(engine, 5, 140, 200, answers(33))
    found = advice(versions.list_versions(engine, 7), {}, "people")
    assert found["stop"] is True
    assert "will hardly change" in found["reason"]
    assert found["stopped_at"] == 140
    add(engine, 6, 210, 200, answers(34))
    assert advice(versions.list_versions(engine, 7), {}, "people")["stopped_at"] == 140


def test_calls_are_judged_by_what_the_teacher_was_shown(engine: sa.Engine) -> None:
    add(engine, 1, 0, 100, answers(0))
    add(engine, 2, 0, 200, answers(2))
    add(engine, 3, 0, 400, answers(3))
    rows = versions.list_versions(engine, 7)
    assert advice(rows, {}, "teacher")["stop"] is True
    assert advice(rows, {}, "people")["stop"] is None
    free = advice(rows, {}, "teacher", paid=False)
    assert (free["stop"], free["reason"]) == (None, "this teacher costs nothing")


@pytest.mark.parametrize("number", [stopping.ENOUGH - 1, stopping.ENOUGH])
def test_a_few_tasks_say_nothing(engine: sa.Engine, number: int) -> None:
    for version, labels in enumerate((10, 20, 40), start=1):
        add(engine, version, labels, 10, answers(0, number))
    assert (advice(versions.list_versions(engine, 7), {}, "people")["stop"] is None) == (number < stopping.ENOUGH)


def test_rejected_versions_and_other_labels_are_not_compared_with(engine: sa.Engine) -> None:
    add(engine, 1, 40, 100, answers(0), state="rejected")
    versions.add(engine, 7, "student-2-ffffff", 2, "ffffff", {}, 40)
    versions.set_state(engine, 7, "student-2-ffffff", "promoted", "")
    add(engine, 3, 90, 100, answers(0))
    assert versions.list_versions(engine, 7)[0].metrics["changed"] == {}
