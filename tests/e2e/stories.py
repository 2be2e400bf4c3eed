"""Steps that several end-to-end tests share, told from the side of the person who labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from benchmarks.shared.annotator import Annotator, choice, ticked
from benchmarks.shared.waiting import wait_for
from tests.e2e.stack import Stack

Json = dict[str, Any]


def connect(person: Annotator, stack: Stack, project: int, **fields: object) -> Json:
    """Settings, Model, Connect."""
    return person.connect(project, stack.url, **stack.login, **fields)


def colleague(person: Annotator, email: str) -> Annotator:
    """Somebody else, who signs up with the link that `person` invites them by."""
    link = person.send("GET", "/api/invite")["invite_url"]
    with httpx.Client(base_url=person.url, trust_env=False, follow_redirects=True) as browser:
        browser.get(link)
        form = {"email": email, "password": "a pass phrase", "csrfmiddlewaretoken": browser.cookies["csrftoken"]}
        browser.post(link, data=form, headers={"Referer": person.url}).raise_for_status()
        return Annotator(person.url, browser.get("/api/current-user/token").raise_for_status().json()["token"])


def versions_of(task: Mapping[str, Any]) -> Counter[str]:
    """How many predictions of each version a task holds."""
    return Counter(str(row["model_version"]) for row in task["predictions"])


def prediction_of(task: Mapping[str, Any], version: str) -> Json:
    """The one prediction of a version; fails if there is none or more than one."""
    (found,) = [row for row in task["predictions"] if row["model_version"] == version]
    return dict(found)


def await_predictions(person: Annotator, project: int, version: str, seconds: float = 600) -> list[Json]:
    """All tasks, once each task without annotation holds a prediction of `version`."""

    def complete() -> list[Json] | None:
        if person.waiting_for(project, version):
            return None  # to read all tasks, again and again, keeps Label Studio from storing them
        tasks = person.tasks(project)
        missing = [task["id"] for task in tasks if not task["annotations"] and version not in versions_of(task)]
        return tasks if tasks and not missing else None

    return wait_for(f"predictions of {version} in project {project}", complete, seconds, pause=0.5)


def await_shown(
    person: Annotator, stack: Stack, project: int, what: str, condition: Callable[[Json], object] = bool
) -> tuple[str, list[Json]]:
    """The served version and all tasks, once it is what people see: its status meets the condition, Label Studio shows
    it, and each task without annotation holds its prediction. A version that is served meanwhile is followed."""
    tasks: list[Json] = []

    def shown(status: Json) -> bool:
        version = status["version"]
        if not version or not condition(status) or person.project(project)["model_version"] != version:
            return False
        if person.waiting_for(project, version):
            return False
        tasks[:] = person.tasks(project)
        return all(task["annotations"] or version in versions_of(task) for task in tasks)

    return str(stack.await_status(project, what, shown)["version"]), tasks


def label_stream(person: Annotator, project: int, count: int, name: str = "label") -> list[Json]:
    """Label the next `count` tasks of the stream with their gold label; what was shown for each."""
    shown = []
    for _ in range(count):
        task = person.next_task(project)
        assert task is not None, "the label stream is empty"
        prediction = task["predictions"][-1] if task["predictions"] else None
        gold = task["data"]["gold"]
        untouched = prediction is not None and ticked(prediction, name) == [gold]
        person.submit(task["id"], [choice([gold], name, origin="prediction" if untouched else "manual")], prediction)
        shown.append({"task": task["id"], "gold": gold, "prediction": prediction})
    return shown


def check_candidates(prediction: Mapping[str, Any], labels: set[str], most: int = 5) -> None:
    """A teacher's prediction: one to `most` different labels of the label space and a score in [0, 1]."""
    candidates = ticked(prediction)
    assert 1 <= len(candidates) <= most
    assert len(set(candidates)) == len(candidates)
    assert set(candidates) <= labels
    assert 0 <= prediction["score"] <= 1


def served_student(status: Json) -> bool:
    """Whether a student is served."""
    return status["phase"] == "student"


def trained_after(version: str) -> Any:
    """A condition: another student than `version` is served."""
    return lambda status: status["phase"] == "student" and status["version"] != version


def label_space_is(labels: list[str]) -> Any:
    """A condition: the project's labels are these, in order."""
    return lambda status: status["label_space"] == labels
