"""Ratings, numbers, pairs, trees, flags, several texts: predicted, seen in the editor, submitted unchanged, read."""

from __future__ import annotations

import json

import pytest

from benchmarks.shared.annotator import Annotator
from tests.e2e.browser import Browser
from tests.e2e.stack import Stack
from tests.e2e.stories import await_predictions, connect, prediction_of

pytestmark = [pytest.mark.e2e, pytest.mark.browser]

TEXT = '<Text name="text" value="$text"/>'
BOTH = f'{TEXT}<Text name="other" value="$other"/>'
TREE = (
    '<Choice value="Money"><Choice value="In"/><Choice value="Out"/></Choice>'
    '<Choice value="Parcel"><Choice value="Late"/><Choice value="Lost"/></Choice>'
)
CONFIGS = {
    "rating": f'<View>{TEXT}<Rating name="label" toName="text" maxRating="4"/></View>',
    "number": f'<View>{TEXT}<Number name="label" toName="text" min="1" max="4"/></View>',
    "pairwise": f'<View>{BOTH}<Pairwise name="label" toName="text,other"/></View>',
    "taxonomy": f'<View>{TEXT}<Taxonomy name="label" toName="text" leafsOnly="true" maxUsages="1">'
    f"{TREE}</Taxonomy></View>",
    "choices": f'<View><Header value="$title"/>{BOTH}<Choices name="label" toName="text" choice="single">'
    '<Choice value="same"/><Choice value="different"/></Choices></View>',
    "flag": f'<View>{TEXT}<Choices name="label" toName="text"><Choice value="parcel"/><Choice value="bill"/></Choices>'
    '<Choices name="flag" toName="text"><Choice value="parcel is late"/></Choices></View>',
}  # fmt: skip
NUMBER = "return Number((document.querySelector('input[type=number]') || {}).value)"
STARS = "return document.querySelectorAll('.ant-rate-star-full').length"
SIDES = "return [...document.querySelectorAll('.bg-primary-background')].map(one => one.innerText.trim())"
CHIPS = "return [...document.querySelectorAll('.taxonomy .ant-select-selection-item')].map(one => one.innerText.trim())"
TYPES = {"flag": "choices"}
BOXES = (
    "return [...document.querySelectorAll('[class*=\"lsf-choices\"] input')].filter(box => box.checked)"
    ".map(box => (box.closest('label') || box.parentElement).innerText.trim().replace(/\\s*\\[.\\]$/, ''))"
)


def seen(browser: Browser, kind: str, row: dict[str, str]) -> object:
    """What the form shows, as the region's value that it stands for."""
    if kind == "rating":
        return {"rating": browser.script(STARS)}
    if kind == "number":
        return {"number": browser.script(NUMBER)}
    if kind == "pairwise":
        sides = browser.script(SIDES)
        return {"selected": "left" if row["text"] in sides else "right" if row["other"] in sides else None}
    return {"chips": browser.script(CHIPS)} if kind == "taxonomy" else {"choices": browser.script(BOXES)}


@pytest.mark.parametrize("kind", CONFIGS)
def test_what_is_predicted_is_seen_submitted_and_read(
    browser: Browser, person: Annotator, stack: Stack, kind: str
) -> None:
    project = person.create_project(f"a question of {kind}", CONFIGS[kind])
    data = [
        {"title": f"no. {number}", "text": f"parcel {number} is late", "other": f"parcel {number} came"}
        for number in range(3)
    ]
    person.import_tasks(project, data)
    connect(person, stack, project)
    version = stack.await_status(project, "the teacher's version", lambda status: status["version"])["version"]
    task = await_predictions(person, project, version)[0]
    region, *more = prediction_of(task, version)["result"]
    wanted = region["value"]
    if kind == "flag":
        wanted = {"choices": [one for part in (region, *more) for one in part["value"]["choices"]]}
    if kind == "taxonomy":
        wanted = {"chips": [path[-1] for path in region["value"]["taxonomy"]]}
    browser.open_form(project)
    browser.until("what was predicted", lambda: seen(browser, kind, data[0]) == wanted)
    browser.submit()
    (annotation,) = person.tasks(project)[0]["annotations"]
    given = [(one["from_name"], one["type"], one["value"]) for one in annotation["result"]]
    assert given == [(one["from_name"], one["type"], one["value"]) for one in (region, *more)]
    assert given[0][:2] == ("label", TYPES.get(kind, kind))
    checked = json.loads(stack.command("check", str(project), "--json").stdout)
    assert (checked["outcome"], checked["questions"][0]["kind"].lower()) == ("full", TYPES.get(kind, kind))
    stack.await_status(project, "the person's answer", lambda status: status["human_labels"] == 1)
