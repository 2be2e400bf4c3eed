"""Pairs of texts in a real Label Studio: ticked, submitted, corrected, learned; premise and hypothesis, and search."""

from __future__ import annotations

import json

import pytest

from backend.label_studio.templates import label_config
from benchmarks.shared.annotator import Annotator, ticked
from model.labels import LabelSpace
from tests.e2e.browser import Browser
from tests.e2e.configs import TEXTS, THINGS
from tests.e2e.stack import Stack
from tests.e2e.stories import await_predictions, await_shown, connect, label_stream, prediction_of, served_student

pytestmark = [pytest.mark.e2e, pytest.mark.browser]

FIELDS = {"two-texts": ("premise", "hypothesis"), "search": ("query", "document")}
GRADES = {"two-texts": ("does not follow", "follows"), "search": ("irrelevant", "relevant")}
SHORT = {
    "billing": ("I was charged twice on an invoice", "wrong amount on my bill"),
    "refund": ("I want my money back", "refund of a payment"),
    "shipping": ("My parcel did not arrive", "package lost or damaged in delivery"),
    "login": ("I cannot sign in with my password", "account locked, password reset"),
}
TOPICS = list(SHORT)


def rows(template: str, count: int = 80) -> list[dict[str, str]]:
    """Pairs of a short text and a long one, every other time of the same topic; eight queries in turn."""
    made = []
    for number in range(count):
        turn, place = divmod(number, 8)
        topic, same = TOPICS[place % 4], (turn + place) % 2
        about = topic if same else TOPICS[(place + 1 + turn % 3) % 4]
        long = f"{TEXTS[about][turn % 5].format(THINGS[number % len(THINGS)])} ({number})"
        pair = (long, SHORT[topic][0]) if template == "two-texts" else (SHORT[topic][place // 4], long)
        made.append({**dict(zip(FIELDS[template], pair, strict=True)), "gold": GRADES[template][same]})
    return made


@pytest.mark.parametrize("template", FIELDS)
def test_pairs_are_answered_submitted_corrected_and_learned(
    browser: Browser, person: Annotator, stack: Stack, template: str
) -> None:
    config = label_config(template, LabelSpace.of(GRADES[template]).labels)
    project = person.create_project(f"pairs, {template}", config)
    person.import_tasks(project, rows(template))
    connect(person, stack, project)
    teacher = stack.await_status(project, "the teacher's version", lambda status: status["version"])["version"]
    first = await_predictions(person, project, teacher)[0]
    checked = json.loads(stack.command("check", str(project), "--json").stdout)["pair"]
    assert checked["texts"] == list(FIELDS[template])
    assert checked["query"] == ("query" if template == "search" else None)

    suggested = sorted(ticked(prediction_of(first, teacher)))
    browser.open_label_stream(project)
    browser.until("the teacher's answer", lambda: sorted(browser.ticked()) == suggested)
    browser.until("both texts", lambda: browser.texts() == [first["data"][name] for name in FIELDS[template]])
    browser.picture(template, width=960, height=260)
    browser.submit()
    (annotation,) = person.tasks(project)[0]["annotations"]
    assert sorted(ticked(annotation)) == suggested

    task = person.next_task(project)
    assert task is not None
    browser.until("both texts", lambda: browser.texts() == [task["data"][name] for name in FIELDS[template]])
    suggested = sorted(ticked(prediction_of(task, teacher)))
    browser.until("the next answer", lambda: sorted(browser.ticked()) == suggested)
    for label in set(suggested) ^ {task["data"]["gold"]}:
        browser.click_choice(label)
    browser.submit()
    corrected = next(one for one in person.tasks(project) if one["id"] == task["id"])["annotations"][0]
    assert ticked(corrected) == [task["data"]["gold"]]

    label_stream(person, project, 22)
    student, _ = await_shown(person, stack, project, "a promoted student", served_student)
    task = person.next_task(project)
    assert task is not None
    answer = ticked(prediction_of(task, student))
    assert len(answer) == 1
    browser.open_label_stream(project)
    browser.until("the student's answer", lambda: browser.ticked() == answer)
    browser.until("its texts", lambda: browser.texts() == [task["data"][name] for name in FIELDS[template]])
