"""Several questions in one label config, from the teacher to the page: one call, prediction and version for all."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from backend.jobs import annotate, publish, train
from backend.label_studio.client import LabelStudio
from backend.pool import candidates, ledger, predictions, tasks, versions
from backend.pool.annotations import human_labels
from backend.projects.connect import connect_project
from backend.projects.updates import remember
from backend.reporting.export import export_labels
from backend.reporting.report import report_html
from backend.reporting.status import project_status
from model.decoding import NEVER
from model.group_answers import answer_of
from model.labels import Decision
from tests.support.label_studio_double import TOKEN
from tests.support.llm import with_llm
from tests.support.llm_server import OpenAIServer
from tests.support.world import CREATED, World

CONFIG = """<View><Text name="text" value="$text"/>
<Choices name="mood" toName="text"><Choice value="good"/><Choice value="bad"/></Choices>
<Choices name="topics" toName="text" choice="multiple"><Choice value="price"/><Choice value="driver"/></Choices>
<View visibleWhen="choice-selected" whenTagName="mood" whenChoiceValue="bad">
<Choices name="why" toName="text"><Choice value="late"/><Choice value="broken"/></Choices></View>
<Rating name="stars" toName="text" maxRating="3"/></View>"""
SAID = {
    "mood=good": "thank you, I am happy", "mood=bad": "I am very angry", "topics=price": "the price on the invoice",
    "topics=driver": "the driver with the parcel", "why=late": "it came a week late", "why=broken": "it is broken",
}  # fmt: skip
KINDS = [
    (mood, *topics, *([why] if mood == "mood=bad" else []), "stars=1" if mood == "mood=bad" else "stars=3")
    for mood in ("mood=good", "mood=bad")
    for topics in (("topics=price",), ("topics=driver",), ("topics=price", "topics=driver"))
    for why in ("why=late", "why=broken")
]
ROWS = [
    (", ".join(SAID[name] for name in names if name in SAID) + f" ({turn})", names)
    for turn in range(10)
    for names in KINDS
]
KEYS = {"choices": "choices", "rating": "rating"}


def said_of(text: str) -> str:
    """The LLM is right; of the mood it also finds the other one possible, and it asks why even of the happy."""
    right = [name for name, words in SAID.items() if words in text]
    mood = ["bad", "good"] if "mood=bad" in right else ["good", "bad"]
    return json.dumps(
        {
            "mood": {"candidates": mood},
            "topics": {"certain": [one[7:] for one in right if one.startswith("topics")], "possible": []},
            "why": {"candidates": [one[4:] for one in right if one.startswith("why")] or ["late"]},
            "stars": {"candidates": ["1" if "mood=bad" in right else "3"]},
        }
    )


def result_of(names: tuple[str, ...]) -> list[dict[str, Any]]:
    """What the editor would submit for these labels."""
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(name.partition("=")[0], []).append(name.partition("=")[2])
    return [
        {"from_name": control, "to_name": "text", "type": "rating", "value": {"rating": int(labels[0])}}
        if control == "stars"
        else {"from_name": control, "to_name": "text", "type": "choices", "value": {"choices": labels}}
        for control, labels in found.items()
    ]


@pytest.fixture
def world_of_questions(world: World) -> Iterator[World]:
    server = HTTPServer(port=0, threaded=True)
    server.start()
    world.double.fields["label_config"] = CONFIG
    remember(world.services, 7, CREATED, CONFIG)
    ids = world.double.add_tasks([text for text, _ in ROWS])
    tasks.add(world.engine, 7, {task: text for task, (text, _) in zip(ids, ROWS, strict=True)})
    with_llm(world, OpenAIServer(server, said_of))
    yield world
    server.stop()


def annotated(world: World, count: int, without: str = "") -> None:
    """People answer the first tasks, but leave one question open."""
    for task, (_, names) in enumerate(ROWS[:count], start=1):
        world.double.annotate(task, [])
        kept = tuple(name for name in names if not without or not name.startswith(without))
        world.double.tasks[task]["annotations"][-1]["result"] = result_of(kept)


def entry_of(world: World, task: int, version: str) -> dict[str, Any]:
    (row,) = [one for one in world.double.predictions if (one["task"], one["model_version"]) == (task, version)]
    return row


def connected(world: World) -> None:
    world.double.connections[500] = {"id": 500, "url": world.services.settings.backend_url, "title": "", "state": "CO"}


def test_one_call_answers_all_questions_and_one_prediction_shows_them(world_of_questions: World) -> None:
    world = world_of_questions
    annotate.work(world.job("annotate"))
    connected(world)
    publish.work(world.job("publish"))
    assert ledger.totals(world.engine, 7).calls == len({text for text, _ in ROWS})  # however many questions there are
    version, space = world.current.teacher_version, world.current.space
    stored = candidates.read(world.engine, 7, version)
    for task, (_, names) in enumerate(ROWS[:12], start=1):
        found = stored[task].candidates
        assert found is not None
        assert answer_of(space, found) == names
        assert entry_of(world, task, version)["result"] == result_of(names)


def test_a_question_that_was_left_open_is_not_a_negative_and_the_others_count(world_of_questions: World) -> None:
    world = world_of_questions
    annotated(world, 6, without="topics")
    world.double.annotate(7, [])
    world.double.tasks[7]["annotations"][-1]["result"] = []
    train.synchronise(world.job("sync"), complete=True)
    found = human_labels(world.engine, 7)
    assert set(found) == set(range(1, 7))  # an empty form says nothing
    assert found[1].labels == ("mood=good", "stars=3")
    assert found[1].decision is Decision.FINAL
    annotate.work(world.job("annotate"))
    status = project_status(world.current)
    assert status["human_labels"] == 6
    assert (status["teacher"]["human_checked"], status["teacher"]["top1_accuracy"]) == (6, 1.0)
    questions = status["sets"]["questions"]
    assert questions["topics"]["teacher"]["tasks"] == 0
    assert questions["mood"]["teacher"]["exact"]["value"] == 1.0
    assert questions["stars"]["teacher"]["mean_error"] == 0.0


def test_from_the_teacher_to_the_students_answers_on_the_page(world_of_questions: World) -> None:
    world = world_of_questions
    annotate.work(world.job("annotate"))
    connected(world)
    publish.work(world.job("publish"))
    annotated(world, 60)
    said = train.work(world.job("train"))
    (row,) = versions.list_versions(world.engine, 7)
    assert row.state == "publishing", said
    given = predictions.several(world.engine, 7, row.version, tasks.all_ids(world.engine, 7))
    assert set(given) == set(range(61, len(ROWS) + 1))
    right = sum(set(given[task]) == set(ROWS[task - 1][1]) for task in given)
    assert right > 0.8 * len(given)
    publish.work(world.job("publish"))
    task = next(iter(given))
    shown = entry_of(world, task, row.version)["result"]
    assert sorted(one["from_name"] for one in shown) == sorted({one.partition("=")[0] for one in given[task]})
    page = report_html(world.current)
    assert '<th scope="row">mood</th>' in page
    assert "People see answers to all questions, from the trained model" in page
    path = world.folder / "labels.csv"
    export_labels(world.current, path)
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    found = [rows[0][f"question:{name}"] for name in ("mood", "topics", "why", "stars")]
    assert found == ["good", '["price"]', "", "3"]
    assert {one["source"] for one in rows[:60]} == {"person"}
    assert {one["source"] for one in rows[60:]} == {"student"}


def test_a_question_that_knows_too_little_is_served_by_the_teacher(
    world_of_questions: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = world_of_questions
    monkeypatch.setattr(
        "tests.backend.jobs.test_several_questions.SAID", {**SAID, "why=broken": "nobody says this", "x": "y"}
    )
    annotate.work(world.job("annotate"))  # so "late" is the only reason that the LLM ever names
    said = train.work(world.job("train"))
    (row,) = versions.list_versions(world.engine, 7)
    assert row.state == "publishing", said
    from model.loading import load_version

    student = load_version(world.services.registry.fetch(7, row.version))
    assert student.thresholds is not None
    left = {name for name, limit in zip(student.space.names, student.thresholds, strict=True) if limit >= NEVER}
    assert left == {"why=late", "why=broken"}
    given = predictions.several(world.engine, 7, row.version, tasks.all_ids(world.engine, 7))
    angry = [task for task, (_, names) in enumerate(ROWS, start=1) if "mood=bad" in names]
    assert sum("why=late" in given[task] for task in angry) > 0.8 * len(angry)
    assert not any("why=late" in labels and "mood=bad" not in labels for labels in given.values())


def test_a_project_of_before_keeps_its_one_question_until_its_label_config_changes(world: World) -> None:
    import sqlalchemy as sa

    from backend.pool.database.tables import projects

    world.double.fields["label_config"] = CONFIG
    remember(world.services, 7, CREATED, CONFIG)
    with world.engine.begin() as connection:  # as the migration leaves it
        connection.execute(sa.update(projects).values(questions="mood"))
    with LabelStudio(world.double.url, TOKEN) as label_studio:
        connect_project(label_studio, world.services.settings, 7)
        assert world.current.control.name == "mood"
        connect_project(label_studio, world.services.settings, 7, {"QUESTIONS": "all"})
        assert world.current.control.name == "mood, topics, why, stars"
        connect_project(label_studio, world.services.settings, 7, {"QUESTIONS": ""})
        assert world.current.space.names == ("good", "bad")
    remember(world.services, 7, CREATED, CONFIG.replace('value="late"', 'value="too late"'))
    assert len(world.current.space.questions) == 4
