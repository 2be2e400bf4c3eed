"""A promise about several questions: each with its share, in part, and for each label."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from backend.errors import ProjectError
from backend.jobs import annotate, finish, publish, sync, train
from backend.pool import certified, promises, tasks
from backend.projects.finishing import ask_to_finish
from backend.projects.promised_parts import misnamed
from backend.projects.updates import remember
from backend.reporting.certificate import checks
from backend.reporting.export import export_labels
from backend.reporting.promise import promise_status
from backend.reporting.promise_wording import too_rare
from backend.reporting.report import report_html
from model.promise.parts import Part, lost
from model.whole_answers import labels_of
from tests.support.llm import with_llm
from tests.support.llm_server import OpenAIServer
from tests.support.world import CREATED, World

CONFIG = """<View><Text name="text" value="$text"/>
<Choices name="mood" toName="text"><Choice value="good"/><Choice value="bad"/></Choices>
<Rating name="stars" toName="text" maxRating="3"/></View>"""
WORDS = {("mood=good", "stars=3"): "thank you, I am happy", ("mood=bad", "stars=1"): "I am very angry, all is broken",
         ("mood=good", "stars=2"): "it is neither here nor there"}  # fmt: skip
KINDS = [*list(WORDS)[:2] * 11, list(WORDS)[2]]  # two stars are rare
ROWS = [(f"{WORDS[names]} ({turn})", names) for turn in range(15) for names in KINDS]


def said_of(text: str) -> str:
    """The LLM is right."""
    mood, stars = next(names for names, words in WORDS.items() if words in text)
    return json.dumps({"mood": {"candidates": [mood[5:]]}, "stars": {"candidates": [stars[6:]]}})


def regions_of(names: tuple[str, str]) -> list[dict[str, Any]]:
    """What the editor would submit."""
    return [
        {"from_name": "mood", "to_name": "text", "type": "choices", "value": {"choices": [names[0][5:]]}},
        {"from_name": "stars", "to_name": "text", "type": "rating", "value": {"rating": int(names[1][6:])}},
    ]


def decided(world: World, task: int) -> None:
    world.double.annotate(task, [])
    world.double.tasks[task]["annotations"][-1]["result"] = regions_of(ROWS[task - 1][1])


@pytest.fixture
def asked(world: World) -> Iterator[World]:
    """Two questions, answered by an LLM."""
    server = HTTPServer(port=0, threaded=True)
    server.start()
    world.double.fields |= {"label_config": CONFIG, "sampling": "Uncertainty sampling"}
    remember(world.services, 7, CREATED, CONFIG)
    ids = world.double.add_tasks([text for text, _ in ROWS])
    tasks.add(world.engine, 7, {task: text for task, (text, _) in zip(ids, ROWS, strict=True)})
    with_llm(world, OpenAIServer(server, said_of))
    yield world
    server.stop()


@pytest.mark.parametrize("per_label", [False, True])
def test_questions_are_finished_each_with_its_own_share(asked: World, tmp_path: Path, per_label: bool) -> None:
    asked.set_options(TARGET_ERROR=0.15, TARGET_ERROR_BY_QUESTION="stars=0.2", TARGET_LOSS="part",
             TARGET_ERROR_PER_LABEL=per_label)  # fmt: skip
    annotate.work(asked.job("annotate"))
    for task in range(1, 31):
        decided(asked, task)
    train.work(asked.job("train"))
    publish.work(asked.job("publish"))
    promise = promises.get(asked.engine, 7)
    for _ in range(8):
        for task in promises.asked_for(asked.engine, 7):
            decided(asked, task)
        sync.work(asked.job("sync"))
        publish.work(asked.job("publish"))
        promise = promises.get(asked.engine, 7)
        if promise is not None and promise.certificate is not None:
            break
    assert promise is not None
    made = promise.certificate
    assert made is not None
    names = ["mood=good", "mood=bad", "stars=1", "stars=2", "stars=3"]
    assert [part.label for part in promise.parts] == (names if per_label else ["", ""])
    rows, space = certified.rows(asked.engine, 7), asked.current.space
    accepted = {task: row for task, row in rows.items() if row.role == "accepted"}
    assert len(accepted) > 40
    stars = Part("stars", "", 0.2, 2)
    assert sum(
        lost(space, stars, labels_of(space, row.label), ROWS[task - 1][1]) for task, row in accepted.items()
    ) <= (2 * 0.2 * len(ROWS))
    assert [name for name, said, again in checks(asked.current, made) if said != again] == []
    told = promise_status(asked.current)
    assert told is not None
    assert 'labels of "stars" are off by at most 0.4 levels on average' in told["sentence"]
    rare = [part for part in made["parts"] if part["label"] and part["acceptance"] < 0]  # as the processor rounds
    assert ("Too rare to be left to the student" in told["sentence"]) == bool(rare)
    made_up = {"parts": [{"question": "stars", "label": "stars=2", "acceptance": -1}]}
    assert too_rare(made_up) == ". Too rare to be left to the student: 2"
    assert made["parts"][-1]["question"] == "stars"
    assert "Lost there, and most below the border" in report_html(asked.current)
    written_and_taken_back(asked, accepted, tmp_path)


def written_and_taken_back(asked: World, accepted: dict[int, certified.Row], folder: Path) -> None:
    ask_to_finish(asked.current, "annotations")
    finish.work(asked.job("finish"))
    task = max(accepted)
    (written,) = asked.double.tasks[task]["annotations"]
    assert [one["from_name"] for one in written["result"]] == ["mood", "stars"]
    sync.work(asked.job("sync"))
    export_labels(asked.current, folder / "labels.jsonl")
    out = {row["task"]: row for row in map(json.loads, (folder / "labels.jsonl").read_text().splitlines())}
    assert {out[one]["behind"] for one in accepted} == {"promise"}
    mood, stars = labels_of(asked.current.space, accepted[task].label)
    assert (out[task]["question:mood"], out[task]["question:stars"]) == (mood[5:], stars[6:])
    ask_to_finish(asked.current, "undo")
    finish.work(asked.job("finish"))
    assert not any(asked.double.tasks[one]["annotations"] for one in accepted)


def test_shares_of_questions_that_there_are_not_are_told(asked: World) -> None:
    asked.set_options(TARGET_ERROR=0.1, TARGET_ERROR_BY_QUESTION="star=0.2")
    assert misnamed(asked.current) == "TARGET_ERROR_BY_QUESTION names star; the questions are mood, stars"
    told = promise_status(asked.current)
    assert told is not None
    assert told["sentence"].startswith("No promise can be made: TARGET_ERROR_BY_QUESTION names star")
    with pytest.raises(ProjectError, match="the questions are mood, stars"):
        ask_to_finish(asked.current, "annotations")
    asked.set_options(TARGET_ERROR=0.1, TARGET_ERROR_BY_QUESTION="mood=1,stars=1")
    assert "promises nothing about any question" in misnamed(asked.current)
