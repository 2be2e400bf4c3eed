"""A search project in a real Label Studio: the Data Manager sorts by what ranks documents, queries shown or not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backend.label_studio.templates import label_config
from benchmarks.shared.annotator import Annotator
from benchmarks.shared.waiting import wait_for
from model.labels import LabelSpace
from tests.e2e.browser import Browser
from tests.e2e.stack import Stack
from tests.e2e.stories import await_shown, connect, label_stream, served_student
from tests.e2e.test_pairs import GRADES
from tests.e2e.test_pairs import rows as searched

pytestmark = [pytest.mark.e2e, pytest.mark.browser]

BEST_FIRST = "-tasks:predictions_score"
HIDDEN = ("inner_id", "completed_at", "cancelled_annotations", "total_predictions", "annotators", "annotations_results",
          "annotations_ids", "predictions_model_versions", "predictions_results", "file_upload", "storage_filename",
          "created_at", "updated_at", "updated_by", "avg_lead_time", "draft_exists", "data.gold")  # fmt: skip
READ_PAGE = "return document.body.innerText"


def rows(shown: bool) -> list[dict[str, object]]:
    """Documents of eight queries. Where no text shows these, people see another question with each document."""
    found: list[dict[str, object]] = [dict(row) for row in searched("search")]
    if not shown:
        for number, row in enumerate(found):
            row |= {"question": f"{row.pop('query')}, {number} days ago", "topic": f"topic {number % 8}"}
    return found


@pytest.mark.parametrize("shown", [True, False], ids=["a query that is shown", "a hidden query"])
def test_documents_are_sorted_by_relevance_and_exported_with_ranks(
    browser: Browser, person: Annotator, stack: Stack, tmp_path: Path, shown: bool
) -> None:
    config = label_config("search", LabelSpace.of(GRADES["search"]).labels)
    project = person.create_project("search, sorted", config if shown else config.replace("$query", "$question"))
    person.import_tasks(project, rows(shown))
    options = {"SCORE": "relevance"} | ({} if shown else {"GROUP": "topic"})
    connect(person, stack, project, extra_params=options)
    stack.await_status(project, "the teacher's version", lambda status: status["version"])
    label_stream(person, project, 22)
    await_shown(person, stack, project, "a promoted student", served_student)

    hidden = {"explore": [f"tasks:{name}" for name in HIDDEN], "labeling": []}
    data = {"title": "Best first", "type": "list", "ordering": [BEST_FIRST], "hiddenColumns": hidden}
    tab = person.send("POST", "/api/dm/views/", {"project": project, "data": data})["id"]
    documents = wait_for("a tab in order", lambda: best_first(person, project, tab), 600)
    browser.driver.get(f"{browser.url}/projects/{project}/data?tab={tab}")
    browser.until("the best documents first", lambda: stand_in_order(documents[:3], str(browser.script(READ_PAGE))))
    browser.picture(f"search-{'shown' if shown else 'hidden'}")

    stack.command("export", str(project), str(tmp_path / "labels.jsonl"))
    exported = [json.loads(line) for line in (tmp_path / "labels.jsonl").read_text().splitlines()]
    assert len({row["query"] for row in exported}) == 8
    for query in {row["query"] for row in exported}:
        found = sorted((row for row in exported if row["query"] == query), key=lambda row: row["rank"])
        assert [row["rank"] for row in found] == [*range(1, 11)]
        assert [row["relevance"] for row in found] == sorted((row["relevance"] for row in found), reverse=True)


def best_first(person: Annotator, project: int, tab: int) -> list[str] | None:
    """The documents of a tab, once those without annotation stand by the relevance that the served student gives."""
    version = person.project(project)["model_version"]
    tasks = person.send("GET", "/api/tasks", project=project, view=tab, fields="all", page_size=100)["tasks"]
    scores = [
        next((row["score"] for row in task["predictions"] if row["model_version"] == version), None)
        for task in tasks
        if not task["annotations"]
    ]
    if None in scores or len(set(scores)) < len(scores) / 2 or scores != sorted(scores, reverse=True):
        return None
    return [task["data"]["document"] for task in tasks]


def stand_in_order(texts: list[str], page: str) -> bool:
    """Whether all these texts stand in a page, in this order."""
    places = [page.find(text[:40]) for text in texts]
    return min(places) >= 0 and places == sorted(places)
