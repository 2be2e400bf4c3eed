"""A pool with three kinds of questions finished in a real Label Studio, each with a promise of its own."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from benchmarks.shared.annotator import Annotator, Json
from benchmarks.shared.waiting import wait_for
from tests.e2e.configs import LABELS, TEXTS, THINGS, choices
from tests.e2e.stack import RETRAIN_AFTER, Stack
from tests.e2e.stories import connect
from tests.e2e.test_finish import asks, at_rest, marked, promised

pytestmark = pytest.mark.e2e

WANTED = {"refund": "wants money back", "speed": "wants it faster"}
CONFIG = (
    f'<View><Text name="text" value="$text"/><Choices name="topic" toName="text">{choices(LABELS)}</Choices>'
    f'<Choices name="wishes" toName="text" choice="multiple" answer="several">{choices(WANTED)}</Choices>'
    '<Rating name="stars" toName="text" maxRating="3"/></View>'
)
WISHES = {("refund",): "give me my money back", ("speed",): "please be faster",
          ("refund", "speed"): "money back, and fast"}  # fmt: skip
MOODS = {1: "This is terrible, I am very angry", 2: "It was neither good nor bad", 3: "Great and friendly, thank you"}
SHARES = {"topic": 0.3, "wishes": 0.4, "stars": 0.4}
OPTIONS = {"TARGET_ERROR": 0.3, "TARGET_ERROR_BY_QUESTION": "wishes=0.4,stars=0.4", "TARGET_LOSS": "part"}


def rows(count: int) -> list[Json]:
    """Texts that name their topic, their wishes and their mood."""
    made = []
    for turn in range(count):
        topic, wishes, stars = list(LABELS)[turn % 4], list(WISHES)[turn % 3], 1 + turn % 5 % 3
        text = TEXTS[topic][turn % 5].format(THINGS[turn % len(THINGS)])
        words = f"{text}; {WISHES[wishes]}. {MOODS[stars]} ({turn})"
        made.append({"text": words, "topic": [topic], "wishes": list(wishes), "stars": stars})
    return made


def right(data: Json) -> list[Json]:
    """What a person submits who is right about everything."""
    ticks = [
        {"from_name": name, "to_name": "text", "type": "choices", "value": {"choices": data[name]}}
        for name in ("topic", "wishes")
    ]
    return [*ticks, {"from_name": "stars", "to_name": "text", "type": "rating", "value": {"rating": data["stars"]}}]


def lost(task: Json) -> dict[str, float]:
    """What a task's annotation loses by question: a level by its distance, a set by one minus its Jaccard index."""
    said: dict[str, Any] = {one["from_name"]: one["value"] for one in task["annotations"][0]["result"]}
    data, wishes = task["data"], set(said["wishes"]["choices"])
    gold = set(data["wishes"])
    return {
        "topic": float(said["topic"]["choices"] != data["topic"]),
        "wishes": 1 - len(wishes & gold) / len(wishes | gold),
        "stars": abs(said["stars"]["rating"] - data["stars"]) / 2,
    }


def label(person: Annotator, project: int, count: int) -> int:
    """Answer all questions of the next tasks of the stream."""
    for _ in range(count):
        task = person.next_task(project)
        assert task is not None
        person.submit(task["id"], right(task["data"]))
    return count


def decide_until_promised(person: Annotator, stack: Stack, project: int) -> Json:
    """Work through the queue as people do."""
    labelled = label(person, project, RETRAIN_AFTER)

    def wants(status: Json) -> bool:
        return promised(status) or (status["human_labels"] == labelled and asks(status) > 0 and at_rest(status))

    while not promised(status := stack.await_status(project, "an audit that asks for something, or a promise", wants)):
        labelled += label(person, project, max(4, asks(status)))
    return status


def test_each_question_is_promised_finished_taken_back_and_finished_again(
    person: Annotator, stack: Stack, tmp_path: Path
) -> None:
    project = person.create_project("three promises", CONFIG, sampling="Uncertainty sampling")
    person.import_tasks(project, rows(100))
    connect(person, stack, project, extra_params={**OPTIONS, "RETRAIN_GROWTH": 10})
    made = decide_until_promised(person, stack, project)["promise"]
    assert 'labels of "stars" are off by at most 0.8 levels on average' in made["sentence"]
    assert 'people\'s labels of "wishes" and those given share all but 40 % on average' in made["sentence"]
    people = {task["id"] for task in person.tasks(project) if task["annotations"]}

    killed_while_it_is_written(person, stack, project, people)
    tasks = person.tasks(project)
    accepted = {task["id"] for task in tasks if task["annotations"]} - people
    assert len(accepted) == made["certificate"]["accepted"]
    assert all(len(task["annotations"]) <= 1 and marked(task) == (task["id"] in accepted) for task in tasks
               if task["annotations"])  # fmt: skip
    for question, share in SHARES.items():
        assert sum(lost(task)[question] for task in tasks if task["annotations"]) <= share * len(tasks)
    told = exported(stack, project, tmp_path / "labels.jsonl")
    assert {told[task][f"behind:{question}"] for task in accepted for question in SHARES} == {"promise"}
    assert {told[task]["bound:topic"] for task in accepted} == {0.3}
    assert {told[task]["behind:stars"] for task in people} <= {"person", "audit"}
    assert stack.command("audit", str(project)).returncode == 0, "the certificate follows from the pool"
    taken_back(person, stack, project, people, min(accepted))


def killed_while_it_is_written(person: Annotator, stack: Stack, project: int, people: set[int]) -> None:
    """The worker dies once the first accepted labels are in Label Studio; the next one ends what was begun."""
    with ThreadPoolExecutor(1) as pool:
        command = pool.submit(stack.command, "finish", str(project))
        wait_for("an accepted label", lambda: written(person, project) - people, 120, pause=0.05)
        stack.kill("worker")
        stack.start_worker()
        assert command.result().returncode == 0, command.result().stderr


def written(person: Annotator, project: int) -> set[int]:
    return {task["id"] for task in person.tasks(project) if task["annotations"]}


def taken_back(person: Annotator, stack: Stack, project: int, people: set[int], mine: int) -> None:
    """All but what a person pressed Update on, as it was."""
    (one,) = person.open_task(project, mine)["annotations"]
    person.update(one["id"], one["result"])
    stack.await_status(project, "a decision more", lambda status: status["human_labels"] == len(people) + 1)
    undone = stack.command("finish", str(project), "--undo")
    assert undone.returncode == 0, undone.stderr
    assert written(person, project) == people | {mine}
    assert stack.command("finish", str(project)).returncode == 0
    assert len(written(person, project)) > len(people) + 1


def exported(stack: Stack, project: int, path: Path) -> dict[int, Json]:
    """Rows of an export by task."""
    done = stack.command("export", str(project), str(path))
    assert done.returncode == 0, done.stderr
    return {row["task"]: row for row in map(json.loads, path.read_text().splitlines())}
