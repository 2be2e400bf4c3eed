"""Where several labels may be right, a promise is about whole sets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from backend.jobs import annotate, finish, publish, sync, train
from backend.pool import certified, promises, tasks
from backend.pool.annotations import human_labels
from backend.projects.finishing import ask_to_finish
from backend.projects.updates import remember
from backend.reporting.certificate import changed_since, checks
from backend.reporting.export import export_labels
from backend.reporting.promise import promise_status
from model.whole_answers import labels_of, whole
from tests.support.label_studio_double import CONFIG
from tests.support.llm import with_llm
from tests.support.llm_server import OpenAIServer
from tests.support.world import CREATED, MESSAGES, World

SEVERAL = CONFIG.replace('answer="one"', 'answer="several"')
KINDS = [(one, other) for one in MESSAGES for other in ("", *MESSAGES) if not other or one < other]
ROWS = [
    (f"{MESSAGES[one][turn % 5]}{' and ' + MESSAGES[other][turn % 5] if other else ''}, message {turn}",
     tuple(filter(None, (one, other))))
    for turn in range(40)
    for one, other in KINDS
]  # fmt: skip


def said_of(text: str) -> str:
    """The LLM is certain of all that is right."""
    right = [name for name in MESSAGES if any(message in text for message in MESSAGES[name])]
    return json.dumps({"certain": right, "possible": []})


@pytest.fixture
def begun(world: World) -> Iterator[World]:
    """A student of sets is served, and an audit has begun."""
    server = HTTPServer(port=0, threaded=True)
    server.start()
    world.set_options(TARGET_ERROR=0.15)
    world.double.fields |= {"label_config": SEVERAL, "sampling": "Uncertainty sampling"}
    remember(world.services, 7, CREATED, SEVERAL)
    rows = [text for text, _ in ROWS]
    tasks.add(world.engine, 7, dict(zip(world.double.add_tasks(rows), rows, strict=True)))
    with_llm(world, OpenAIServer(server, said_of))
    annotate.work(world.job("annotate"))
    for task in range(1, 41):
        world.double.annotate(task, list(ROWS[task - 1][1]))
    train.work(world.job("train"))
    publish.work(world.job("publish"))
    yield world
    server.stop()


def test_sets_are_finished_taken_back_and_checked_as_wholes(begun: World, tmp_path: Path) -> None:
    for _ in range(8):
        for task in promises.asked_for(begun.engine, 7):
            begun.double.annotate(task, list(ROWS[task - 1][1]))
        sync.work(begun.job("sync"))
        publish.work(begun.job("publish"))
        promise = promises.get(begun.engine, 7)
        if promise is not None and promise.certificate is not None:
            break
    assert promise is not None
    made = promise.certificate
    assert made is not None
    rows, space = certified.rows(begun.engine, 7), begun.current.space
    accepted = {task: row for task, row in rows.items() if row.role == "accepted"}
    assert len(accepted) > 60
    right = {task: whole(space, ROWS[task - 1][1]) for task in rows}
    assert sum(row.label != right[task] for task, row in accepted.items()) <= made["allowed"]
    assert {task: row.wrong for task, row in rows.items() if row.role == "audit"} == {
        task: row.label != right[task] for task, row in rows.items() if row.role == "audit"
    }
    assert [name for name, said, again in checks(begun.current, made) if said != again] == []
    assert changed_since(begun.current) == 0
    told = promise_status(begun.current)
    assert told is not None
    assert "of all sets of labels are wrong" in told["sentence"]

    ask_to_finish(begun.current, "annotations")
    finish.work(begun.job("finish"))
    task = max(task for task, row in accepted.items() if len(labels_of(space, row.label)) == 2)
    (written,) = begun.double.tasks[task]["annotations"]
    assert whole(space, written["result"][0]["value"]["choices"]) == accepted[task].label
    sync.work(begun.job("sync"))
    assert not accepted.keys() & human_labels(begun.engine, 7).keys()
    export_labels(begun.current, tmp_path / "labels.jsonl")
    out = {row["task"]: row for row in map(json.loads, (tmp_path / "labels.jsonl").read_text().splitlines())}
    assert {out[one]["behind"] for one in accepted} == {"promise"}
    assert tuple(out[task]["labels"]) == labels_of(space, accepted[task].label)
    ask_to_finish(begun.current, "undo")
    finish.work(begun.job("finish"))
    assert not any(begun.double.tasks[one]["annotations"] for one in accepted)


def test_an_answer_as_one_string_is_the_same_for_the_same_labels(world: World) -> None:
    one = world.current.space
    assert (whole(one, ("refund",)), whole(one, ()), labels_of(one, "")) == ("refund", "", ())
    remember(world.services, 7, CREATED, SEVERAL)
    space = world.current.space
    assert whole(space, ("refund", "billing")) == whole(space, ("billing", "refund")) == '["billing", "refund"]'
    assert labels_of(space, whole(space, ("refund", "billing"))) == ("billing", "refund")
    assert whole(space, ()) == "[]"
