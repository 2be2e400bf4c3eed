"""Everything that talks to Label Studio's API. Rows are plain JSON: times stay exactly as Label Studio wrote them.

The SDK is not used here: importing it costs over a second and 100 MB in every job, it repeats failed writes, and it
turns times into objects that no longer compare as Label Studio's own text.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Any

from backend.errors import LabelStudioError
from backend.label_studio.http import LabelStudioHttp

IMPORT_SECONDS = 900.0  # storing predictions; the project is counted meanwhile, 0.5 ms a task
PAGE = 500  # tasks per request
FEW = 40  # tasks that are asked for one by one, 20 ms each, rather than by a list of the whole project
FIELDS = (  # `include` filters nested objects too: an annotation without these names arrives as a bare id
    "id,data,updated_at,annotations,result,completed_by,was_cancelled,ground_truth,created_at,parent_prediction,lead_time"
)


class LabelStudio:
    """One Label Studio server. Raises the LabelStudioError tree; see LabelStudioHttp.send."""

    def __init__(self, url: str, api_key: str, timeout_seconds: float = 60.0) -> None:
        self.http = LabelStudioHttp(url, api_key, timeout_seconds)
        self.url = self.http.url

    def __enter__(self) -> LabelStudio:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    @property
    def server_time(self) -> str:
        """Label Studio's clock at its last answer, as its Date header says."""
        return self.http.server_time

    def ahead_seconds(self) -> float:
        """By how much its clock is ahead of ours, as its last answer says to the second; 0 if it does not say."""
        try:
            return parsedate_to_datetime(self.server_time).timestamp() - time.time()
        except (TypeError, ValueError):
            return 0.0

    def who_am_i(self) -> dict[str, Any]:
        """The key's user: the cheapest request that needs a valid key."""
        return _object(self.http.get("api/current-user/whoami"))

    def release(self) -> str:
        """Its release, such as `1.23.2`."""
        return str(_object(self.http.get("api/version/")).get("release") or "")

    def projects(self) -> list[dict[str, Any]]:
        """All projects that the key may see."""
        found: list[dict[str, Any]] = []
        while True:
            answer = _object(self.http.get("api/projects/", page=1 + len(found) // 100, page_size=100))
            found += answer["results"]
            if len(answer["results"]) < 100 or len(found) >= int(answer["count"]):
                return found

    def project(self, project: int) -> dict[str, Any]:
        """One project as Label Studio describes it."""
        return _object(self.http.get(f"api/projects/{project}/"))

    def create_project(self, title: str, label_config: str, **fields: object) -> dict[str, Any]:
        """A new project; `title` has 3 to 50 characters."""
        return _object(
            self.http.send("POST", "api/projects/", {"title": title, "label_config": label_config, **fields})
        )

    def update_project(self, project: int, **fields: object) -> dict[str, Any]:
        """Change fields of a project."""
        return _object(self.http.send("PATCH", f"api/projects/{project}/", fields))

    def import_tasks(self, project: int, tasks: Sequence[Mapping[str, object]]) -> int:
        """Import tasks, each an object of data; the number that Label Studio took."""
        answer = _object(self.http.send("POST", f"api/projects/{project}/import", list(tasks)))
        return int(answer.get("task_count", 0))

    def tasks(self, project: int, since: str = "") -> Iterator[dict[str, Any]]:
        """Tasks with their annotations, by ascending id; with `since` only those updated after it.

        `since` is UTC as `2026-11-21T05:41:38.567600Z`; Label Studio answers 500 to any other form.
        """
        changed = [_filter("updated_at", "greater", since, "Datetime")] if since else []
        yield from self._pages(project, changed, FIELDS)

    def task_ids(self, project: int) -> set[int]:
        """The ids of all tasks."""
        return {int(task["id"]) for task in self._pages(project, [], "id", size=5000)}

    def versions_held(self, project: int, tasks: Collection[int]) -> dict[int, list[str]]:
        """The model versions of each task's predictions, doubles included; a task that is gone has none."""
        if len(tasks) <= FEW:
            return {task: [str(row.get("model_version")) for row in self.predictions(task)] for task in tasks}
        pages = self._pages(project, [], "id,predictions_model_versions", size=2000)
        found = {int(task["id"]): _versions(task.get("predictions_model_versions")) for task in pages}
        return {task: found.get(task, []) for task in tasks}

    def _pages(self, project: int, filters: list[dict[str, Any]], include: str, size: int = PAGE) -> Iterator[Any]:
        """Read on from the last id instead of counting pages: tasks that come or go meanwhile shift no page."""
        last = 0
        while True:
            answer = self._page(project, filters, include, size, last)
            page = answer["tasks"]
            yield from page
            if not page or len(page) >= int(answer["total"]):
                return
            last = max(int(task["id"]) for task in page)

    def _page(self, project: int, filters: list[dict[str, Any]], include: str, size: int, last: int) -> dict[str, Any]:
        items = [*filters, _filter("id", "greater", last, "Number")]
        query = {"filters": {"conjunction": "and", "items": items}, "ordering": ["tasks:id"]}
        params = {"project": project, "page": 1, "page_size": size, "fields": "all", "include": include}
        return _object(self.http.get("api/tasks/", query=json.dumps(query), **params))

    def rows_of_tasks(self, project: int, first: int, size: int) -> list[dict[str, Any]]:
        """Up to `size` tasks from `first` on, by id: their predictions, and what their annotations came from."""
        include = "id,predictions,model_version,annotations,parent_prediction"
        return list(self._page(project, [], include, size, first - 1)["tasks"])

    def import_predictions(self, project: int, rows: Sequence[Mapping[str, object]]) -> int:
        """Store predictions `{task, result, score, model_version}`; the number that Label Studio really stored.

        Sent once: a repeated request doubles rows. If one of the tasks is gone, Label Studio refuses (LabelStudioError)
        all rows or, where it takes them in parts of 500, those after the parts it has stored; it drops rows that it
        finds invalid without a word. A large project may take it minutes.
        """
        path = f"api/projects/{project}/import/predictions"
        answer = _object(self.http.send("POST", path, list(rows), seconds=IMPORT_SECONDS))
        return int(answer["created"])

    def predictions(self, task: int) -> list[dict[str, Any]]:
        """All predictions of a task."""
        return list(self.http.get("api/predictions/", task=task))

    def remove_prediction(self, prediction: int) -> None:
        """Delete one prediction; annotations that came from it stay."""
        self.http.send("DELETE", f"api/predictions/{prediction}/")

    def blank_prediction(self, prediction: int, task: int, project: int) -> None:
        """Let a prediction tick nothing; annotations that came from it keep it. Label Studio asks for both numbers."""
        self.http.send("PATCH", f"api/predictions/{prediction}/", {"result": [], "task": task, "project": project})

    def annotations(self, task: int) -> list[dict[str, Any]]:
        """All annotations of a task."""
        return list(self.http.get(f"api/tasks/{task}/annotations/"))

    def add_annotation(self, task: int, result: Sequence[Mapping[str, object]]) -> int:
        """A new annotation of a task, in the name of the key's user; its id. Sent once: repeated, it is there twice."""
        body = {"result": list(result), "was_cancelled": False}
        return int(_object(self.http.send("POST", f"api/tasks/{task}/annotations/", body))["id"])

    def ask_of(self, task: int, people: int) -> None:
        """How many people are to answer a task before it leaves the stream; its next annotation has that counted."""
        self.http.send("PATCH", f"api/tasks/{task}/", {"overlap": people})

    def remove_annotation(self, annotation: int) -> None:
        """Delete one annotation."""
        self.http.send("DELETE", f"api/annotations/{annotation}/")

    def set_cluster(self, task: int, version: str, cluster: int) -> int:
        """Put the task's predictions of `version` into a cluster, which no bulk import can; how many there are."""
        rows = [row for row in self.predictions(task) if row.get("model_version") == version]
        for row in rows:
            self.http.send("PATCH", f"api/predictions/{row['id']}/", {"cluster": cluster})
        return len(rows)

    def connections(self, project: int) -> list[dict[str, Any]]:
        """The ML backends of a project, the first being the one that predicts. Each is asked for its health."""
        return list(self.http.get("api/ml", project=project))

    def add_connection(self, project: int, url: str, title: str, fields: Mapping[str, object]) -> dict[str, Any]:
        """Register an ML backend; Label Studio calls its /health and /setup meanwhile."""
        body = {"project": project, "url": url, "title": title, **fields}
        return _object(self.http.send("POST", "api/ml", body))

    def update_connection(self, connection: int, project: int, url: str, **fields: object) -> dict[str, Any]:
        """Change a connection, for example its title; Label Studio insists on `url` and `project`."""
        body = {"project": project, "url": url, **fields}
        return _object(self.http.send("PATCH", f"api/ml/{connection}", body))

    def remove_connection(self, connection: int) -> None:
        """Remove a connection; its webhook stays and must be removed separately."""
        self.http.send("DELETE", f"api/ml/{connection}")

    def webhooks(self, project: int) -> list[dict[str, Any]]:
        """The webhooks of a project."""
        return list(self.http.get("api/webhooks/", project=project))

    def set_webhook(self, project: int, url: str, headers: Mapping[str, str]) -> dict[str, Any]:
        """Make exactly one active webhook with payload and `headers` towards `url`."""
        body = {"url": url, "headers": dict(headers), "send_payload": True, "send_for_all_actions": True}
        body |= {"is_active": True}
        same = [hook for hook in self.webhooks(project) if str(hook["url"]).rstrip("/") == url.rstrip("/")]
        for hook in same[1:]:
            self.http.send("DELETE", f"api/webhooks/{hook['id']}/")
        if same:
            return _object(self.http.send("PATCH", f"api/webhooks/{same[0]['id']}/", body))
        return _object(self.http.send("POST", "api/webhooks/", {**body, "project": project}))

    def remove_webhook(self, webhook: int) -> None:
        """Remove a webhook."""
        self.http.send("DELETE", f"api/webhooks/{webhook}/")


def _filter(column: str, operator: str, value: object, kind: str) -> dict[str, Any]:
    return {"filter": f"filter:tasks:{column}", "operator": operator, "type": kind, "value": value}


def _versions(stored: object) -> list[str]:
    if isinstance(stored, str):
        return [name.strip() for name in stored.split(",") if name.strip()]
    return [str(name) for name in stored] if isinstance(stored, list) else []


def _object(answer: Any) -> dict[str, Any]:
    if not isinstance(answer, dict):
        raise LabelStudioError(f"Label Studio answered {str(answer)[:80]!r} where an object was expected")
    return answer
