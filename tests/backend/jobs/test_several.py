"""Several labels right at once, from the teacher to the page: asked, decided by people, trained, predicted, counted."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from pytest_httpserver import HTTPServer

from backend.errors import LabelingConfigError
from backend.jobs import annotate, publish, train
from backend.label_studio.client import LabelStudio
from backend.pool import candidates, ledger, predictions, tasks, versions
from backend.pool.annotations import human_labels
from backend.pool.database.engine import write
from backend.pool.database.tables import projects
from backend.pool.text import text_hash
from backend.projects.connect import connect_project
from backend.projects.updates import remember
from backend.reporting.export import export_labels
from backend.reporting.report import report_html
from backend.reporting.status import project_status
from backend.serving.answers import StudentAnswer
from backend.serving.left_open import completed
from backend.training.promotion import ENOUGH
from model.labels import CandidateSet, HumanLabel
from tests.support.label_studio_double import CONFIG, TOKEN
from tests.support.llm import with_llm
from tests.support.llm_server import OpenAIServer
from tests.support.world import CREATED, MESSAGES, World

SEVERAL = CONFIG.replace('answer="one"', 'answer="several"')
NAMES = list(MESSAGES)
KINDS = [(), *((name,) for name in NAMES), *((one, two) for one in NAMES for two in NAMES if one < two)]
ROWS = [
    ((" and ".join(MESSAGES[name][turn % 5] for name in names) or "thank you") + f" ({turn})", tuple(names))
    for turn in range(12)
    for names in KINDS
]


def said_of(text: str) -> str:
    """The LLM is certain of all labels but the last, which it finds possible."""
    right = [name for name in NAMES if any(message in text for message in MESSAGES[name])]
    return json.dumps({"certain": right[:1], "possible": right[1:]})


@pytest.fixture
def several(world: World) -> Iterator[World]:
    """A project in which several labels may be right, asked of an LLM on loopback; nobody has decided anything."""
    server = HTTPServer(port=0, threaded=True)
    server.start()
    world.double.fields["label_config"] = SEVERAL
    remember(world.services, 7, CREATED, SEVERAL)
    ids = world.double.add_tasks([text for text, _ in ROWS])
    tasks.add(world.engine, 7, {task: text for task, (text, _) in zip(ids, ROWS, strict=True)})
    with_llm(world, OpenAIServer(server, said_of))
    yield world
    server.stop()


def annotated(world: World, count: int) -> None:
    """People tick what is right in the first tasks, also nothing."""
    for task, (_, names) in enumerate(ROWS[:count], start=1):
        number = world.double.annotate(task, list(names))
        if not names:
            world.double.tasks[task]["annotations"][-1]["result"] = []
        assert number


def test_one_call_per_text_answers_what_is_certain_and_what_is_possible(several: World) -> None:
    annotate.work(several.job("annotate"))
    stored = candidates.read(several.engine, 7, several.current.teacher_version)
    assert stored[1].candidates == CandidateSet((), (), ())
    assert stored[5].candidates == CandidateSet(("billing", "refund"), (), ("billing",))
    assert ledger.totals(several.engine, 7).calls == len(ROWS)
    several.services.queue.cancel("publish", 7)
    before = several.current.teacher_version
    remember(several.services, 7, CREATED, SEVERAL.replace('answer="several"', 'answer="one"'))
    assert several.current.teacher_version != before
    assert candidates.read(several.engine, 7, several.current.teacher_version) == {}  # another question


def test_ticks_of_people_are_final_also_none_of_them(several: World) -> None:
    annotated(several, 9)
    several.double.annotate(10, [], skipped=True)
    train.synchronise(several.job("sync"), complete=True)
    found = human_labels(several.engine, 7)
    assert found[1] == HumanLabel((), ())
    assert found[5] == HumanLabel(("billing", "refund"), ("billing", "refund"))
    assert found[10] == HumanLabel(())
    status = project_status(several.current)
    assert status["human_labels"] == 9


def entry_of(world: World, task: int, version: str) -> dict[str, Any]:
    (row,) = [one for one in world.double.predictions if (one["task"], one["model_version"]) == (task, version)]
    return row


def ticks_of(row: dict[str, Any]) -> list[str]:
    return [name for region in row["result"] for name in region["value"]["choices"]]


def test_from_the_teacher_to_the_students_answers_on_the_page(several: World) -> None:
    annotate.work(several.job("annotate"))
    url = several.services.settings.backend_url
    several.double.connections[500] = {"id": 500, "url": url, "title": "", "state": "CO"}
    publish.work(several.job("publish"))
    teacher = several.current.teacher_version
    assert ticks_of(entry_of(several, 5, teacher)) == ["billing"]  # what is certain, and nothing else
    assert entry_of(several, 1, teacher)["result"] == []
    annotated(several, 50)
    said = train.work(several.job("train"))
    (row,) = versions.list_versions(several.engine, 7)
    assert row.state == "publishing", said
    assert "thresholds" in row.metrics["training"]["found"]
    given = predictions.several(several.engine, 7, row.version, tasks.all_ids(several.engine, 7))
    assert set(given) == set(range(51, len(ROWS) + 1))  # what people decided needs no prediction
    right = sum(set(given[task]) == set(ROWS[task - 1][1]) for task in given)
    assert right > 0.6 * len(given)
    publish.work(several.job("publish"))
    task = next(task for task, labels in given.items() if len(labels) > 1)
    assert ticks_of(entry_of(several, task, row.version)) == list(given[task])
    _check_figures(several)
    _check_a_task_that_came_later(several, row.version)


def _check_a_task_that_came_later(world: World, version: str) -> None:
    """Nothing says yet whether the student is as good as its teacher, so that what this said goes before it."""
    assert versions.list_versions(world.engine, 7)[0].metrics["held_out"] < ENOUGH
    text = "thank you, and " + MESSAGES["refund"][0]
    (task,) = world.double.add_tasks([text])
    tasks.add(world.engine, 7, {task: text})
    annotate.work(world.job("annotate"))
    publish.work(world.job("publish"))
    assert predictions.several(world.engine, 7, version, [task]) == {task: ("refund",)}
    later, (other, *_) = text_hash(text), world.double.add_tasks(["a gift"])
    blank = StudentAnswer("billing", 0.9, 0.5, None, ("billing",))
    limits = np.full(3, 0.5, np.float32)
    both = [(task, later), (other, "")]
    found = completed(world.current, limits, both, [blank, blank], judged=False)
    assert [one.labels for one in found] == [("refund",), ("billing",)]
    assert completed(world.current, limits, both, [blank, blank], judged=True) == [blank, blank]


def _check_figures(world: World) -> None:
    status = project_status(world.current)
    assert status["answer"] == {"kind": "several", "least": 0, "contradiction": None}
    found = status["sets"]["teacher"]
    assert (found["tasks"], found["covered"]) == (50, 1.0)
    assert 0.5 < found["exact"]["value"] < 0.6  # the second label of a pair was only possible
    assert found["labels"]["billing"]["recall"] == 1.0
    page = report_html(world.current)
    assert "On 50 tasks: right as a whole" in page
    assert "People see all labels that apply, from the trained model" in page
    assert status["teacher"]["coverage"] == 1.0
    path = world.folder / "labels.csv"
    export_labels(world.current, path)
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert (rows[4]["source"], json.loads(rows[4]["labels"])) == ("person", ["billing", "refund"])
    assert (rows[0]["source"], rows[0]["labels"], rows[0]["label"]) == ("person", "[]", "")
    assert {row["source"] for row in rows[50:]} == {"student"}


def test_committees_are_refused_with_what_to_change(several: World) -> None:
    found = remember(several.services, 7, CREATED, SEVERAL, extra_params={"MODE": "committee"})
    assert found.space is None
    assert "set MODE=student, or ANSWER=one" in found.problem
    with pytest.raises(LabelingConfigError, match="a committee votes for one label"):
        _ = several.current.space


@pytest.mark.parametrize(
    ("former", "ticked", "tasks", "answer", "said"),
    [
        (False, ["billing", "refund"], 12, "several", ""),
        (False, ["billing"], 12, "several", ""),  # too few to tell
        (False, ["billing"], 40, "one", "None of 40 annotations"),
        (True, ["billing", "refund"], 12, "several", "12 of 12 annotations"),
        (True, ["billing"], 12, "one", ""),
    ],
)
def test_annotations_of_before_tell_what_ticks_mean(
    world: World, former: bool, ticked: list[str], tasks: int, answer: str, said: str
) -> None:
    world.double.fields["label_config"] = CONFIG.replace(' answer="one"', "")
    with write(world.current.engine) as connection:
        connection.execute(sa.update(projects).values(former=former))
    for task in world.double.add_tasks([f"text {number}" for number in range(tasks)]):
        world.double.annotate(task, ticked)
    with LabelStudio(world.double.url, TOKEN) as label_studio:
        found = connect_project(label_studio, world.services.settings, 7)
        assert world.current.space.answer == answer
        assert any(said in note and "annotations of" in note for note in found.notes) == bool(said)
        again = connect_project(label_studio, world.services.settings, 7, {"ANSWER": "one"})
    assert world.current.space.answer == "one"
    assert not any("ANSWER=" in note for note in again.notes)


def test_the_page_says_when_people_contradict_the_meaning(world: World) -> None:
    for task in world.double.add_tasks([f"text {number}" for number in range(40)]):
        world.double.annotate(task, ["billing", "refund"] if task % 2 else ["billing"])
    train.synchronise(world.job("sync"), complete=True)
    said = project_status(world.current)["answer"]["contradiction"]
    assert "20 of 40 annotations have several ticked" in said
    assert "shortlist connect 7 --option ANSWER=several" in said
