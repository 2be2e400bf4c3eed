"""What the tutorial promises: its commands on a real project; templates and links in a real Label Studio."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By

from backend.label_studio.links import tasks_link
from backend.label_studio.templates import label_config
from benchmarks.shared.annotator import Annotator
from model.labels import Label
from tests.e2e.browser import Browser
from tests.e2e.configs import LABELS, rows
from tests.e2e.processes import ROOT
from tests.e2e.stack import Stack
from tests.e2e.stories import await_predictions, connect, label_stream, served_student

pytestmark = [pytest.mark.e2e, pytest.mark.browser]
MANY = [*LABELS, "complaint", "praise", "cancellation", "warranty", "address", "voucher", "newsletter", "opening hours",
        "job offer", "press", "spare parts", "installation", "app", "website", "gift card", "loyalty points", "returns",
        "exchange", "invoice copy", "tax", "data protection", "other"]  # fmt: skip
HEBREW = ["חיוב", "זיכוי", "משלוח", "אחר"]


def commands() -> list[list[str]]:
    """The commands of the tutorial after its first, which starts what runs here already."""
    text = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    lines = [line for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]
    return [shlex.split(line)[1:] for line in lines if line.startswith(".venv/bin/shortlist ")]


def test_the_tutorials_commands_lead_from_labels_to_a_model_that_runs_alone(
    browser: Browser, person: Annotator, stack: Stack, tmp_path: Path
) -> None:
    project = person.create_project("tutorial", label_config("several-ticks", labels()))
    ids = person.import_tasks(project, rows(80))
    connect(person, stack, project)
    teacher = stack.await_status(project, "the teacher's version", lambda status: status["version"])["version"]
    await_predictions(person, project, teacher)
    label_stream(person, project, 22)
    stack.await_status(project, "a promoted student", served_student)
    label_stream(person, project, 4)
    places = {"report.html": tmp_path / "report.html", "labels.csv": tmp_path / "labels.csv",
              "my-classifier": tmp_path / "my-classifier",
              "my-small-classifier": tmp_path / "my-small-classifier", "1": project}  # fmt: skip
    done = []
    for words in commands():
        result = stack.command(*(str(places.get(word, word)) for word in words))
        fine = (0, 1) if words[0] == "doctor" else (0,)  # it may find fault with projects of other tests
        assert result.returncode in fine, (words, result.stdout, result.stderr)
        done.append(words[0])
    assert {"doctor", "train", "report", "export"} <= set(done)
    assert (tmp_path / "labels.csv").read_text(encoding="utf-8-sig").count(",person,") >= 22
    assert (tmp_path / "my-classifier" / "student_model.py").is_file()
    assert (tmp_path / "my-small-classifier" / "model.onnx").is_file()

    chosen = [row["text"] for row in rows(80)[3:6]]
    browser.driver.get(tasks_link(person.url, project, ids[3:6], "login shown as billing"))
    browser.until("three tasks in the Data Manager", lambda: all(text in body(browser) for text in chosen))
    assert rows(80)[10]["text"] not in body(browser)
    browser.picture("data-manager", 1280, 500)


def labels() -> list[Label]:
    return [Label(name, hint=hint) for name, hint in LABELS.items()]


def body(browser: Browser) -> str:
    """All text of the page."""
    return browser.driver.find_element(By.TAG_NAME, "body").text


@pytest.mark.parametrize(
    ("template", "names", "text"),
    [
        ("one-label", list(LABELS), "I was charged twice, when will you return the payment?"),
        ("many-labels", MANY, "I was charged twice, when will you return the payment?"),
        ("right-to-left", HEBREW, "חויבתי פעמיים, מתי תחזירו לי את הכסף?"),
    ],
)
def test_templates_look_right_in_label_studio(
    browser: Browser, person: Annotator, stack: Stack, template: str, names: list[str], text: str
) -> None:
    project = person.create_project(
        f"template {template}", label_config(template, [Label(name, hint=LABELS.get(name, "")) for name in names])
    )
    person.import_tasks(project, [{"text": text, "gold": names[0]}, *rows(3)])
    connect(person, stack, project)
    version = stack.await_status(project, "the teacher's version", lambda status: status["version"])["version"]
    await_predictions(person, project, version)
    browser.driver.get(f"{browser.url}/projects/{project}/data?labeling=1")
    browser.until("the text", lambda: text[:12] in body(browser))
    browser.picture(f"template-{template}", 960, 240)
