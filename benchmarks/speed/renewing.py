"""What a new version costs Label Studio of which most answers stay, by ways to renew only those that change.

A real Label Studio, real jobs, drawn answers. A way must keep what people see right: the newest answer is shown and is
what the annotation says that it was shown, a task that somebody has open can be submitted, and the Data Manager's score
is that of the answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

from backend.jobs import publish
from backend.label_studio.client import LabelStudio
from backend.label_studio.predictions import label_entry
from backend.pool import publishing, tasks
from backend.projects.current import current_of
from backend.projects.job import Job
from backend.services import Services
from benchmarks.shared.annotator import Annotator, LabelStudioAnswer, choice, ticked
from benchmarks.speed.growth import answered, connected, project_of
from benchmarks.speed.rows import Row, row
from benchmarks.speed.web import LABELS

EVERY = 10  # one answer in so many changes
SOME = 20  # rows and openings that are timed
BEFORE, AFTER = LABELS[0], LABELS[1]


def renewing_rows(shown: int) -> tuple[list[Row], dict[str, float]]:
    """Milliseconds and outcomes of every way, of a project of `shown` tasks."""
    with connected(shown) as (services, project, _):
        found = _Ways(services, project, shown)
        rows = [*found.all_anew(), *found.when_opened(), *found.version_patched(), *found.beside(), *found.in_place()]
        found.person.close()
    value = {(one["method"], one["what"]): one["value"] for one in rows}
    return rows, {"all_anew_ms": value["all rows anew", "a row"], "patched_ms": value["rows' version patched", "a row"]}


class _Ways:
    def __init__(self, services: Services, project: int, shown: int) -> None:
        self._services, self._project, self._shown = services, project, shown
        settings = services.settings
        self.person = Annotator(settings.LABEL_STUDIO_URL, settings.LABEL_STUDIO_API_KEY.get_secret_value())
        self._client = LabelStudio(settings.LABEL_STUDIO_URL, settings.LABEL_STUDIO_API_KEY.get_secret_value())
        self._ids = tasks.all_ids(services.engine, project)
        self._number = self._current.project.label_studio_id
        self._open = iter(self._ids)
        self._versions = 0

    @property
    def _current(self) -> Any:
        return current_of(self._services, project_of(self._services, self._project))

    def all_anew(self) -> list[Row]:
        """As it is: every row of the new version is sent, those of the one before are taken away one by one."""
        way = "all rows anew"
        self._published([])
        seconds = self._published([])
        old = [one for task in self._ids[:SOME] for one in self._client.predictions(task)]
        gone = _each([one["id"] for one in old[::2]], self._client.remove_prediction)
        return [row("a row", way, 1000 * seconds / self._shown, "ms"), row("a row taken away", way, gone, "ms"),
                *self._outcome(way, self._next())]  # fmt: skip

    def when_opened(self) -> list[Row]:
        """Only the rows that change are sent; for the others Label Studio asks when they are opened."""
        way = "others when opened"
        seconds = self._published([task for task in self._ids if task % EVERY])
        changed = sum(task % EVERY == 0 for task in self._ids)
        return [row("a row", way, 1000 * seconds / changed, "ms"), *self._outcome(way, self._next())]

    def version_patched(self) -> list[Row]:
        """Rows that stay get the name of the new version, one request each."""
        way = "rows' version patched"
        rows = [self._client.predictions(task)[-1] for task in self._ids[-SOME:]]
        opened = self._opened(rows[0]["task"])
        spent = _each(rows, lambda one: self._patch(one, model_version="student-99-aaaaaa"))
        return [row("a row", way, spent, "ms"), row("an open task can be submitted", way, self._submit(opened), "yes")]

    def beside(self) -> list[Row]:
        """One name for all versions: a row that changes is sent beside the one before it, which goes."""
        way = "one name, beside"
        version, task = self._current.served_version, self._ids[-SOME - 2]
        opened = self._opened(task)
        before = opened["predictions"][-1]
        entry = label_entry(self._current.control, version, AFTER, 0.25)
        self._client.import_predictions(self._number, [{"task": task, **entry}])
        opened_later = self._opened(task)
        named = [one for one in opened_later["predictions"] if one["model_version"] == version]
        found = self._outcome(way, {**opened_later, "predictions": named})
        self._client.remove_prediction(before["id"])
        return [*found, row("an open task can be submitted", way, self._submit(opened), "yes")]

    def in_place(self) -> list[Row]:
        """One name for all versions: rows that change get their new answer, one request each."""
        way = "one name, in place"
        rows = [self._client.predictions(task)[0] for task in self._ids[-3 * SOME : -2 * SOME]]
        opened = self._opened(rows[0]["task"])
        result = label_entry(self._current.control, "", AFTER, 0.25)["result"]
        spent = _each(rows, lambda one: self._patch(one, result=result, score=0.25))
        can = self._submit(opened)
        kept = next(
            one for one in self._client.predictions(opened["id"]) if one["id"] == opened["predictions"][0]["id"]
        )
        told = ticked(kept) == ticked(opened["predictions"][0])
        return [row("a row", way, spent, "ms"), row("an open task can be submitted", way, can, "yes"),
                row("what was shown is on record", way, told, "yes")]  # fmt: skip

    def _published(self, unsent: Sequence[int]) -> float:
        """Seconds of a publish of the next version, but for these tasks."""
        self._versions += 1
        later = self._versions > 1
        labels = [int(later and task % EVERY == 0) for task in self._ids]
        version = answered(self._services, self._project, self._versions, labels)
        publishing.intend(self._services.engine, self._project, version, unsent)
        publishing.confirm(self._services.engine, self._project, version, unsent)
        began = time.monotonic()
        publish.work(Job(self._services, "publish", self._project))
        return time.monotonic() - began

    def _outcome(self, way: str, opened: dict[str, Any]) -> list[Row]:
        """How long an opening takes, whether it shows the newest answer first, and what share has a score."""
        seen = [ticked(one) for one in opened["predictions"]]
        listed = self._client.http.get("api/tasks/", project=self._number, fields="all", include="id,predictions_score",
                                       page=1, page_size=self._shown)["tasks"]  # fmt: skip
        scored = sum(one["predictions_score"] is not None for one in listed) / len(listed)
        return [row("an opening", way, opened["ms"], "ms"), row("answers shown", way, len(seen), "1/task"),
                row("tasks with a score", way, scored, "share")]  # fmt: skip

    def _next(self) -> dict[str, Any]:
        """The median opening of the label stream, each task being submitted."""
        found = []
        for _ in range(SOME):
            began = time.monotonic()
            opened = self.person.next_task(self._number)
            assert opened is not None, "there are more tasks"
            found.append({**opened, "ms": 1000 * (time.monotonic() - began)})
            self._submit(opened)
        return {**found[-1], "ms": median(one["ms"] for one in found)}

    def _opened(self, task: int) -> dict[str, Any]:
        began = time.monotonic()
        opened = self.person.open_task(self._number, task)
        return {**opened, "ms": 1000 * (time.monotonic() - began)}

    def _submit(self, opened: dict[str, Any]) -> bool:
        """Whether Label Studio takes it, as decided from what was shown."""
        try:
            self.person.submit(
                opened["id"], [choice([BEFORE])], opened["predictions"][-1] if opened["predictions"] else None
            )
        except LabelStudioAnswer:
            return False
        return True

    def _patch(self, one: dict[str, Any], **fields: object) -> None:
        self._client.http.send(
            "PATCH", f"api/predictions/{one['id']}/", {"task": one["task"], "project": self._number, **fields}
        )


def _each(values: Sequence[Any], do: Callable[[Any], object]) -> float:
    """Median milliseconds."""
    found = []
    for value in values:
        began = time.monotonic()
        do(value)
        found.append(1000 * (time.monotonic() - began))
    return median(found)
