"""The pages in headless Chromium: buttons are pressed, screenshots kept, and axe finds no serious barrier."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from backend.pool import candidates, doubts, jobs, projects, tasks, versions
from backend.pool.text import text_hash
from backend.projects.current import current_of
from backend.reporting.report import report_html
from model.teacher.base import Answer, State, Usage
from tests.e2e.browser import Browser
from tests.e2e.conftest import artefacts  # noqa: F401 (a fixture)
from tests.support.configs import CONFIG_A
from tests.support.folders import kept
from tests.support.web_server import Server

pytestmark = pytest.mark.browser
AXE = "axe-core@4.11.0"
NAMES = ["billing", "refund", "shipping", "other"]
LOOKS = [(theme, width) for theme in ("light", "dark") for width in (1200, 390)]


@pytest.fixture(scope="module")
def axe() -> str:
    """The source of axe-core, fetched by npm once per machine."""
    packed = kept() / f"{AXE.replace('@', '-')}.tgz"
    if not packed.exists():
        if shutil.which("npm") is None:
            pytest.skip("NOT TESTED: accessibility needs npm, to fetch axe-core")
        command = ["npm", "pack", AXE, "--silent"]
        try:
            subprocess.run(command, cwd=kept(), capture_output=True, text=True, check=True, timeout=600)
        except subprocess.SubprocessError as error:
            reason = str(getattr(error, "stderr", None) or error)[-300:]
            pytest.skip(f"NOT TESTED: axe-core cannot be fetched: {reason}")
    with tarfile.open(packed) as archive:
        member = archive.extractfile("package/axe.min.js")
        assert member is not None
        return member.read().decode()


@pytest.fixture
def browser(server: Server, tmp_path: Path, artefacts: Path) -> Iterator[Browser]:  # noqa: F811
    """A window at the pages of a server with a project that has everything."""
    fill(server)
    opened = Browser(server.url, tmp_path / "profile", artefacts)
    yield opened
    opened.close()


def fill(server: Server) -> None:
    """Project 7: four students whose labels stopped to pay, mistakes, a running, a waiting and a failed job."""
    server.version()
    named = {"id": 7, "title": "Customer messages", "label_config": CONFIG_A}
    server.post("/webhook", {"action": "PROJECT_UPDATED", "project": named})
    server.parts.background.drain()
    dice = random.Random(1)
    texts = {task: f"text number {task}" for task in range(1, 91)}
    server.answered(dict(list(texts.items())[:50]), ["refund", "billing"])
    server.answered(dict(list(texts.items())[50:]), ["billing"])
    engine, space = server.services.engine, server.project().space_hash
    rows = ((1, 15, 20, None), (16, 30, 40, 0.14), (31, 45, 80, 0.018), (46, 60, 160, 0.011))
    for number, (first, last, labels, moved) in enumerate(rows, start=1):
        name = f"student-{number}-{space}"
        changed = {} if moved is None else {"people": {"with": "", "tasks": 120, "share": moved}}
        versions.add(engine, 7, name, number, space, {"changed": changed}, labels)
        projects.promote(engine, 7, name)
        for task in range(first, last + 1):
            gold = dice.choice(NAMES)
            shown = gold if dice.random() < 0.4 + 0.12 * number else dice.choice(NAMES)
            region = {"from_name": "label", "to_name": "text", "type": "choices", "value": {"choices": [shown]}}
            prediction = {"id": 1, "model_version": name, "score": 0.5, "result": [region]}
            server.label(task, gold, text=texts[task], prediction=prediction, lead_time=2 + 4 * dice.random())
    server.parts.background.drain()
    doubt(server, texts, dice)
    versions.add(engine, 7, f"student-5-{space}", 5, space, {}, 200)
    versions.set_state(engine, 7, f"student-5-{space}", "rejected", "0.71 is lower than 0.78 of the served version")
    server.services.queue.cancel("annotate", 7)
    jobs.begin(engine, 7, "train")
    jobs.step(engine, 7, "train", "training, epoch 12 of 30", 0.4)
    jobs.begin(engine, 7, "annotate")
    jobs.fail(engine, 7, "annotate", "Anthropic refused the key: set ANTHROPIC_API_KEY to a valid one")


def doubt(server: Server, texts: dict[int, str], dice: random.Random) -> None:
    """Some decisions are worth a second look."""
    said = doubts.decided(server.services.engine, 7, range(1, 5))
    found = [
        doubts.Doubt(task, text_hash(texts[task]), one.labels, (dice.choice(NAMES),), kind, 0.2, (9, 12))
        for (task, one), kind in zip(sorted(said.items()), ("twins", "others", "others", "others"), strict=True)
    ]
    doubts.renew(server.services.engine, 7, found)  # type: ignore[arg-type]
    doubts.confirm(server.services.engine, 7, 4)


def refused(server: Server, task: int) -> None:
    """The teacher would not answer a task."""
    tasks.add(server.services.engine, 7, {task: "a refused text"})
    answer = Answer(State.REFUSED, None, "I cannot help with that", Usage())
    version = current_of(server.services, server.project()).teacher_version
    candidates.save(server.services.engine, 7, version, [(task, text_hash("a refused text"), answer)])


def look(browser: Browser, path: str, theme: str, width: int) -> int:
    """Open a page as somebody with this theme and window sees it; its height."""
    features = [{"name": "prefers-color-scheme", "value": theme}]
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.driver.get(path if path.startswith("file:") else browser.url + path)
    return int(browser.script("return document.documentElement.scrollHeight"))


def serious(browser: Browser, axe: str) -> list[object]:
    """What axe finds serious or critical on the page, with the elements."""
    browser.script(axe)
    found = browser.driver.execute_async_script("axe.run().then(arguments[0])")
    return [
        (one["id"], [node["target"] for node in one["nodes"]])
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]


def test_pages_have_no_serious_barrier_and_fit_every_screen(
    browser: Browser, server: Server, axe: str, tmp_path: Path
) -> None:
    report = tmp_path / "report.html"
    report.write_text(report_html(current_of(server.services, server.project())), encoding="utf-8")
    pages = [
        ("project", "/projects/7", LOOKS),
        ("projects", "/projects", LOOKS),
        ("refused", "/projects/99", LOOKS[::3]),
    ]
    pages += [("refused", "/projects/99", LOOKS[::3]), ("report", report.as_uri(), LOOKS[::3])]
    for name, path, looks in pages:
        for theme, width in looks:
            height = look(browser, path, theme, width)
            browser.picture(f"page-{name}-{theme}-{width}", width, height)
            assert browser.script("return document.documentElement.scrollWidth") <= width
            assert serious(browser, axe) == [], (name, theme, width)
    blocked = [row["message"] for row in browser.driver.get_log("browser") if "Security Policy" in row["message"]]
    assert blocked == []


def find(browser: Browser, selector: str) -> list[WebElement]:
    """Elements of the page."""
    return browser.driver.find_elements(By.CSS_SELECTOR, selector)


def press(browser: Browser, label: str) -> str:
    """Press a button and return the sentence that the page then shows."""
    named = {one.get_attribute("aria-label") or one.text: one for one in find(browser, "button")}
    before = find(browser, "html")[0].id
    named[label].click()
    browser.until("the page after it", lambda: [one.id for one in find(browser, "html")] not in ([], [before]))
    found = browser.until("an answer", lambda: find(browser, ".done, [role=alert]"))
    return str(found[0].text)


def test_a_person_acts_without_javascript(browser: Browser, server: Server) -> None:
    browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    browser.driver.get(f"{server.url}/projects/7")
    assert "annotate is queued" in press(browser, "Retry the job Asking the teacher")
    assert "taken back" in press(browser, "Cancel the job Asking the teacher")
    space = server.project().space_hash
    assert f"student-2-{space} is served now" in press(browser, f"Roll back to it student-2-{space}")
    assert server.project().served == f"student-2-{space}"
    assert "paused" in press(browser, "Pause")
    assert "goes on" in press(browser, "Resume")
    refused(server, task=95)
    browser.driver.get(f"{server.url}/projects/7")
    assert "asked again about 1 task" in press(browser, "Ask again what the teacher did not answer")
    assert not [one for one in find(browser, "button") if one.text == "Ask again"]
    assert re.search(r"student-2-\w+", browser.driver.find_element(By.CSS_SELECTOR, ".lead").text)


def test_progress_moves_by_itself_where_scripts_run(browser: Browser, server: Server) -> None:
    browser.driver.get(f"{server.url}/projects/7")
    jobs.step(server.services.engine, 7, "train", "training, epoch 20 of 30", 0.7)
    shown = "return document.querySelector('main').innerText"  # in one step: the element is replaced
    browser.until("the next step", lambda: "epoch 20 of 30" in browser.script(shown))
