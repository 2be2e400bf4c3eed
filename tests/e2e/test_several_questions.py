"""Several questions at once, in a real Label Studio: seen filled in, submitted as they are, corrected, learned."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.shared.annotator import Annotator
from tests.e2e.browser import Browser
from tests.e2e.configs import TEXTS, THINGS, choices
from tests.e2e.stack import Stack
from tests.e2e.stories import await_predictions, await_shown, connect, prediction_of, served_student

pytestmark = [pytest.mark.e2e, pytest.mark.browser]
TOPICS = {"shipping": "parcel late, lost or damaged", "login": "password, account access"}
WANTED = {"refund": "wants money back", "speed": "wants it faster"}
CONFIG = (
    '<View><Text name="text" value="$text"/>'
    f'<Choices name="topic" toName="text" showInline="true">{choices(TOPICS)}</Choices>'
    '<View visibleWhen="choice-selected" whenTagName="topic" whenChoiceValue="shipping">'
    f'<Choices name="wishes" toName="text" choice="multiple" showInline="true">{choices(WANTED)}</Choices>'
    "</View></View>"
)
WISHES = {("refund",): "I want my money back", ("speed",): "please be faster", ("refund", "speed"): "money back, fast"}


def rows(count: int) -> list[dict[str, object]]:
    """Texts about a parcel with one wish or two, and texts about a password, of which nobody asks for wishes."""
    found: list[dict[str, object]] = []
    for turn in range(count // 4):
        thing = THINGS[turn % len(THINGS)]
        for wishes, words in WISHES.items():
            text = f"{TEXTS['shipping'][turn % 5].format(thing)}. {words} ({turn})"
            found.append({"text": text, "topic": ["shipping"], "wishes": list(wishes)})
        found.append({"text": f"{TEXTS['login'][turn % 5].format(thing)} ({turn})", "topic": ["login"], "wishes": []})
    return found


def answers(row: dict[str, Any]) -> dict[str, list[str]]:
    """What a prediction or an annotation ticks, by question."""
    return {region["from_name"]: sorted(region["value"]["choices"]) for region in row["result"]}


def checked(status: dict[str, Any], question: str) -> int:
    """How many tasks say how good the teacher is at a question."""
    return int(status["sets"]["questions"][question]["teacher"]["tasks"])


def right(data: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"from_name": name, "to_name": "text", "type": "choices", "value": {"choices": data[name]}, "origin": "manual"}
        for name in ("topic", "wishes")
        if data[name]
    ]


def test_all_questions_are_filled_in_submitted_as_they_are_corrected_and_learned(
    browser: Browser, person: Annotator, stack: Stack
) -> None:
    project = person.create_project("several questions", CONFIG)
    person.import_tasks(project, rows(80))
    connect(person, stack, project)
    teacher = stack.await_status(project, "the teacher's version", lambda status: status["version"])["version"]
    first = await_predictions(person, project, teacher)[0]
    shown = answers(prediction_of(first, teacher))
    assert "topic" in shown

    browser.open_label_stream(project)
    flat = sorted(label for labels in shown.values() for label in labels)
    browser.until("all answers are ticked", lambda: sorted(browser.ticked()) == flat)
    browser.picture("several-questions", width=960, height=260)
    browser.submit()
    (annotation,) = person.tasks(project)[0]["annotations"]
    assert answers(annotation) == shown

    task = person.next_task(project)
    assert task is not None
    browser.until("the next task", lambda: browser.task_text() == task["data"]["text"])
    if browser.ticked()[:1] != task["data"]["topic"]:  # what hangs on it is shown or hidden then
        browser.click_choice(task["data"]["topic"][0])
    wishes = set(task["data"]["wishes"])
    browser.until("the wishes are asked for", lambda: bool(wishes) == (set(WANTED) <= set(browser.choices())))
    for label in (set(browser.ticked()) - set(TOPICS)) ^ wishes:
        browser.click_choice(label)
    browser.submit()
    corrected = next(one for one in person.tasks(project) if one["id"] == task["id"])["annotations"][0]
    assert answers(corrected) == answers({"result": right(task["data"])})
    for _ in range(21):  # one training, not two
        task = person.next_task(project)
        assert task is not None
        person.submit(task["id"], right(task["data"]), None)
    student, _ = await_shown(person, stack, project, "a promoted student", served_student)
    browser.open_label_stream(project)
    task = person.next_task(project)
    assert task is not None
    expected = sorted(label for labels in answers(prediction_of(task, student)).values() for label in labels)
    browser.until("the student's answers are ticked", lambda: sorted(browser.ticked()) == expected)
    stack.await_status(project, "all that people said", lambda now: checked(now, "topic") == 23)
