"""Ratings, trees and pairwise choices in a real Label Studio: seen, submitted unchanged, corrected, learned."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.shared.annotator import Annotator
from tests.e2e.browser import Browser
from tests.e2e.configs import LABELS, TEXTS, THINGS
from tests.e2e.stack import Stack
from tests.e2e.stories import await_predictions, await_shown, connect, prediction_of, served_student
from tests.e2e.test_question_kinds import CONFIGS, seen

pytestmark = [pytest.mark.e2e, pytest.mark.browser]

TOPICS = list(LABELS)
LEAVES = (("Money", "In"), ("Money", "Out"), ("Parcel", "Late"), ("Parcel", "Lost"))
CLICK_STAR = "document.querySelectorAll('.ant-rate-star > div')[{}].click()"
CLICK_SIDE = "document.querySelectorAll('.lsf-richtext__container')[{}].click()"
REMOVE = "document.querySelector('.taxonomy .ant-select-selection-item-remove').click()"
OPEN = (
    "document.querySelector('.taxonomy .ant-select-selector')"
    ".dispatchEvent(new MouseEvent('mousedown', {bubbles: true}))"
)
EXPAND = "[...document.querySelectorAll('.ant-select-tree-switcher_close')].forEach(one => one.click())"
NODES = "[...document.querySelectorAll('.ant-select-tree-treenode')].filter(one => one.innerText.trim() === {!r})"


def rows(kind: str, count: int = 80) -> list[dict[str, Any]]:
    """Texts of four topics, each with its region's value; of two texts the one of the earlier topic is chosen."""
    made = []
    for number in range(count):
        turn, place = divmod(number, 4)
        own, other = (TEXTS[TOPICS[topic]][turn % 5].format(THINGS[turn % len(THINGS)]) for topic in (place, 3 - place))
        gold: dict[str, dict[str, Any]] = {
            "rating": {"rating": place + 1},
            "taxonomy": {"taxonomy": [list(LEAVES[place])]},
            "pairwise": {"selected": "left" if place < 2 else "right"},
        }
        made.append({"text": f"{own} ({number})", "other": f"{other} [{number}]", "gold": gold[kind]})
    return made


def form(kind: str, region: dict[str, Any]) -> dict[str, Any]:
    """What the form shows of a region."""
    return {"chips": [path[-1] for path in region["value"]["taxonomy"]]} if kind == "taxonomy" else region["value"]


def correct(browser: Browser, kind: str, data: dict[str, Any]) -> None:
    """Give the right answer in the editor."""
    gold = data["gold"]
    if kind == "rating":
        browser.script(CLICK_STAR.format(gold["rating"] - 1))
    elif kind == "pairwise":
        browser.script(CLICK_SIDE.format(("left", "right").index(gold["selected"])))
    else:
        leaf = NODES.format(gold["taxonomy"][0][-1])
        browser.script(REMOVE)
        browser.until("nothing is chosen", lambda: not seen(browser, kind, data)["chips"])
        browser.script(OPEN)
        browser.until("the tree", lambda: browser.script(f"{EXPAND}; return {leaf}.length"))
        browser.script(f"{leaf}[0].querySelector('.ant-select-tree-checkbox, .ant-select-tree-title').click()")


@pytest.mark.parametrize("kind", ["taxonomy", "rating", "pairwise"])
def test_what_is_predicted_is_submitted_corrected_and_learned(
    browser: Browser, person: Annotator, stack: Stack, kind: str
) -> None:
    project = person.create_project(f"learning {kind}", CONFIGS[kind])
    person.import_tasks(project, rows(kind))
    connect(person, stack, project)
    teacher = stack.await_status(project, "the teacher's version", lambda status: status["version"])["version"]
    first = await_predictions(person, project, teacher)[0]
    (region,) = prediction_of(first, teacher)["result"]
    browser.open_form(project)
    browser.until("what was predicted", lambda: seen(browser, kind, first["data"]) == form(kind, region))
    browser.picture(f"kind-{kind}", width=960, height=260)
    browser.submit()
    (annotation,) = person.tasks(project)[0]["annotations"]
    assert [one["value"] for one in annotation["result"]] == [region["value"]]

    task = next(one for one in person.tasks(project) if not one["annotations"])
    (region,) = prediction_of(task, teacher)["result"]
    browser.until("the next answer", lambda: seen(browser, kind, task["data"]) == form(kind, region))
    wanted = {**region, "value": task["data"]["gold"]}
    if region["value"] != wanted["value"]:
        correct(browser, kind, task["data"])
    browser.until("the right answer", lambda: seen(browser, kind, task["data"]) == form(kind, wanted))
    browser.submit()
    corrected = next(one for one in person.tasks(project) if one["id"] == task["id"])["annotations"][0]
    assert [one["value"] for one in corrected["result"]] == [wanted["value"]]

    for _ in range(21):  # one training, not two
        following = person.next_task(project)
        assert following is not None
        person.submit(following["id"], [{**wanted, "value": following["data"]["gold"]}], None)
    student, _ = await_shown(person, stack, project, "a promoted student", served_student)
    following = person.next_task(project)
    assert following is not None
    (answer,) = prediction_of(following, student)["result"]
    browser.open_form(project)
    browser.until("the student's answer", lambda: seen(browser, kind, following["data"]) == form(kind, answer))
    browser.picture(f"kind-{kind}-learned", width=960, height=260)
