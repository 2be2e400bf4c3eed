"""Several labels right at once, in a real Label Studio: seen ticked, submitted as they are, corrected, learned."""

from __future__ import annotations

import pytest

from benchmarks.shared.annotator import Annotator, choice, ticked
from tests.e2e.browser import Browser
from tests.e2e.configs import LABELS, TEXTS, THINGS, choices
from tests.e2e.stack import Stack
from tests.e2e.stories import await_predictions, await_shown, connect, prediction_of, served_student

pytestmark = [pytest.mark.e2e, pytest.mark.browser]
CONFIG = (
    '<View><Text name="text" value="$text"/><Choices name="label" toName="text" choice="multiple" answer="several" '
    f'showInline="true">{choices(LABELS)}</Choices></View>'
)
PAIRS = [("billing",), ("shipping",), ("billing", "refund"), ("login", "shipping")]


def rows(count: int) -> list[dict[str, object]]:
    """Texts with one label or two."""
    return [
        {
            "text": ". ".join(TEXTS[name][turn % 5].format(THINGS[turn % len(THINGS)]) for name in names)
            + f" ({turn})",
            "gold": list(names),
        }
        for turn in range(count // len(PAIRS))
        for names in PAIRS
    ]


def test_all_that_is_right_is_ticked_submitted_as_it_is_corrected_and_learned(
    browser: Browser, person: Annotator, stack: Stack
) -> None:
    project = person.create_project("several labels", CONFIG)
    person.import_tasks(project, rows(80))
    connect(person, stack, project)
    teacher = stack.await_status(project, "the teacher's version", lambda status: status["version"])["version"]
    assert stack.status(project)["answer"]["kind"] == "several"
    first = await_predictions(person, project, teacher)[0]
    shown = ticked(prediction_of(first, teacher))

    browser.open_label_stream(project)
    browser.until("what is certain is ticked", lambda: sorted(browser.ticked()) == sorted(shown))
    browser.picture("several-labels", width=960, height=150)
    browser.submit()
    (annotation,) = person.tasks(project)[0]["annotations"]
    assert ticked(annotation) == shown
    assert annotation["parent_prediction"] == prediction_of(first, teacher)["id"]

    task = person.next_task(project)
    assert task is not None
    browser.until("the next task", lambda: browser.task_text() == task["data"]["text"])
    for label in set(browser.ticked()) ^ set(task["data"]["gold"]):
        browser.click_choice(label)
    browser.submit()
    corrected = next(one for one in person.tasks(project) if one["id"] == task["id"])["annotations"][0]
    assert sorted(ticked(corrected)) == sorted(task["data"]["gold"])
    for _ in range(21):  # one training, not two
        task = person.next_task(project)
        assert task is not None
        person.submit(task["id"], [choice(task["data"]["gold"], "label", origin="manual")], None)
    student, _ = await_shown(person, stack, project, "a promoted student", served_student)
    browser.open_label_stream(project)
    task = person.next_task(project)
    assert task is not None
    expected = ticked(prediction_of(task, student))
    browser.until("the student's answer is ticked", lambda: sorted(browser.ticked()) == sorted(expected))
