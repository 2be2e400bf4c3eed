"""What a person sees in the label stream: several ticked candidates first, one ticked label later."""

from __future__ import annotations

import pytest

from benchmarks.shared.annotator import Annotator, ticked
from tests.e2e.browser import Browser
from tests.e2e.configs import LABELS, config_a, rows
from tests.e2e.stack import Stack
from tests.e2e.stories import await_predictions, await_shown, connect, label_stream, prediction_of, served_student

pytestmark = [pytest.mark.e2e, pytest.mark.browser]


def test_candidates_are_ticked_first_and_one_label_later(browser: Browser, person: Annotator, stack: Stack) -> None:
    project = person.create_project("what people see", config_a())
    data = rows(80)
    data[0] = {"text": "I was charged twice, when will you return the payment?", "gold": "refund"}
    data[23] = {"text": "The lamp arrived broken. Please send the money back to my card.", "gold": "refund"}
    person.import_tasks(project, data)
    connect(person, stack, project)
    teacher = stack.await_status(project, "the teacher's version", lambda status: status["version"])["version"]
    tasks = await_predictions(person, project, teacher)
    candidates = ticked(prediction_of(tasks[0], teacher))
    assert len(candidates) > 1

    browser.open_label_stream(project)
    browser.until("the ticked candidates", lambda: browser.ticked() == sorted(candidates, key=list(LABELS).index))
    assert browser.task_text() == tasks[0]["data"]["text"]
    browser.picture("shortlist", width=960, height=150)
    for label in candidates:
        if label != tasks[0]["data"]["gold"]:
            browser.click_choice(label)
    if tasks[0]["data"]["gold"] not in candidates:
        browser.click_choice(tasks[0]["data"]["gold"])
    browser.submit()
    (annotation,) = person.tasks(project)[0]["annotations"]
    assert ticked(annotation) == [tasks[0]["data"]["gold"]]
    assert annotation["parent_prediction"] == prediction_of(tasks[0], teacher)["id"]

    label_stream(person, project, 22)
    student, _ = await_shown(person, stack, project, "a promoted student", served_student)
    browser.open_label_stream(project)
    browser.until("the one ticked label", lambda: len(browser.ticked()) == 1)
    browser.picture("single-label", width=960, height=150)
    task = person.next_task(project)
    assert task is not None
    assert browser.ticked() == ticked(prediction_of(task, student))
