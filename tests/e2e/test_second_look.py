"""What people decided, looked at again on the pages: doubted decisions, and the seconds that decisions took."""

from __future__ import annotations

from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from benchmarks.shared.annotator import Annotator, choice, ticked
from tests.e2e.browser import Browser
from tests.e2e.configs import config_b, rows
from tests.e2e.stack import RETRAIN_AFTER, Stack
from tests.e2e.stories import Json, await_shown, connect, label_stream, served_student, trained_after
from tests.e2e.test_finish import at_rest

pytestmark = [pytest.mark.e2e, pytest.mark.browser]

BREAK = 5_000.0  # seconds of one decision, during which nobody sat there


def test_a_doubted_decision_is_seen_opened_and_settled(browser: Browser, person: Annotator, stack: Stack) -> None:
    project = person.create_project("worth a second look", config_b())
    data = rows(80)
    data[1] = {
        "text": data[0]["text"].upper(),
        "gold": "shipping",
    }  # the same words, decided otherwise
    first, second, *_ = person.import_tasks(project, data)
    connect(person, stack, project, extra_params={"RETRAIN_GROWTH": 0})
    label_stream(person, project, RETRAIN_AFTER)
    version, _ = await_shown(person, stack, project, "a promoted student", served_student)
    stack.await_status(project, "both doubts", lambda status: doubted(status) == {first, second})

    browser.driver.get(f"{stack.url}/projects/{project}")
    row = row_of(browser, first)
    assert [row.find_element(By.CSS_SELECTOR, f'[data-name="{name}"]').text
                                       for name in ("Decided", "Others say")] == ["billing", "shipping"]  # fmt: skip
    browser.picture("second-look", height=1_600)
    browser.driver.get(str(row.find_element(By.CSS_SELECTOR, '[data-name="Task"] a').get_attribute("href")))
    browser.until("the doubted task in Label Studio", lambda: data[0]["text"] in browser.texts())
    browser.picture("second-look-task")

    (mine,) = person.open_task(project, first)["annotations"]
    person.update(mine["id"], mine["result"])  # it is right
    (other,) = person.open_task(project, second)["annotations"]
    person.update(other["id"], [choice(["billing"])])  # it was not
    stack.await_status(project, "both settled", lambda status: not doubted(status) and looked(status) == (2, 1))
    label_stream(person, project, RETRAIN_AFTER)
    await_shown(person, stack, project, "the next student", trained_after(version))
    status = stack.await_status(project, "the end of all jobs", at_rest)
    assert not doubted(status), "what was looked at does not come back"
    assert looked(status) == (2, 1)
    browser.driver.get(f"{stack.url}/projects/{project}")
    assert "1 was changed" in browser.driver.find_element(By.TAG_NAME, "main").text


def test_pages_tell_what_decisions_take_with_and_without_ticks(
    browser: Browser, person: Annotator, stack: Stack, tmp_path: Path
) -> None:
    project = person.create_project("seconds", config_b())
    person.import_tasks(project, rows(100))
    connect(person, stack, project, extra_params={"BLIND_SHARE": 0.5, "RETRAIN_AFTER": 0, "RETRAIN_IDLE_SECONDS": 0})
    stack.await_status(project, "answers of the teacher", lambda status: status["version"])
    await_shown(person, stack, project, "them in Label Studio")
    given = [decide(person, project, place) for place in range(80)]
    assert min(sum(given), len(given) - sum(given)) > 20
    status = stack.await_status(
        project, "all decisions", lambda status: sum(row["decisions"] + row["breaks"] for row in kinds(status)) == 80
    )
    found = status["decision_times"]["kinds"]
    ticks, nothing = found["single"], found["nothing"]
    assert ticks["decisions"] + ticks["breaks"] == sum(given)
    assert (ticks["breaks"], nothing["breaks"]) in ((1, 0), (0, 1)), "the person had coffee"
    assert ticks["seconds"] == pytest.approx(3.5, abs=0.6)
    assert nothing["seconds"] == pytest.approx(8.5, abs=0.6)
    told = status["decision_times"]["sentences"][0]
    report = tmp_path / "report.html"
    assert stack.command("report", str(project), str(report)).returncode == 0
    for name, place in (("page", f"{stack.url}/projects/{project}"), ("report", report.as_uri())):
        browser.driver.get(place)
        assert told in browser.driver.find_element(By.TAG_NAME, "body").text
        browser.picture(f"decision-times-{name}", height=2_400)


def decide(person: Annotator, project: int, place: int) -> bool:
    """Label the next task: twice as fast where something is ticked. Whether it was."""
    task = person.next_task(project)
    assert task is not None
    prediction = task["predictions"][-1] if task["predictions"] else None
    seen = prediction is not None and bool(ticked(prediction))
    seconds = BREAK if place == 40 else (3.0 if seen else 8.0) + place % 5 / 4
    person.submit(task["id"], [choice([task["data"]["gold"]])], prediction, seconds)
    return seen


def kinds(status: Json) -> list[Json]:
    return list(status["decision_times"]["kinds"].values())


def doubted(status: Json) -> set[int]:
    return {row["task"] for row in status["second_look"]["decisions"]}


def looked(status: Json) -> tuple[int, int]:
    return status["second_look"]["looked"], status["second_look"]["changed"]


def row_of(browser: Browser, task: int) -> WebElement:
    """The row of a doubted task on the project's page."""
    for row in browser.driver.find_elements(By.CSS_SELECTOR, "table.stack tbody tr"):
        cells = row.find_elements(By.CSS_SELECTOR, '[data-name="Task"]')
        if cells and cells[0].text == str(task):
            return row
    raise AssertionError(f"task {task} is not on the page")
