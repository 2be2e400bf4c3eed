"""A person at Label Studio, by its API: the requests that its user interface sends, in the same order and shape."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

Json = dict[str, Any]
LEAD_TIME_SECONDS = 2.5  # what the interface would have measured; Label Studio only stores it
ACTION_SECONDS = 600.0  # Label Studio stores some 20 predictions a second while the page waits


class LabelStudioAnswer(Exception):
    """Label Studio refused a request; says which, and the beginning of its answer."""


class Annotator:
    """One logged-in person. Methods raise LabelStudioAnswer on everything but 2xx."""

    def __init__(self, url: str, token: str, timeout_seconds: float = 180.0) -> None:
        """`token` is a legacy token (40 hex digits) or a personal access token (exchanged before each use)."""
        self.url = url.rstrip("/")
        self._token = token
        self._expires = 0.0
        self._http = httpx.Client(base_url=self.url, timeout=timeout_seconds, trust_env=False)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def send(
        self, method: str, path: str, body: object = None, *, timeout_seconds: float | None = None, **params: object
    ) -> Any:
        """One request; the decoded JSON answer, None when it is empty."""
        query = {name: str(value) for name, value in params.items()}
        timeout = timeout_seconds or self._http.timeout
        answer = self._http.request(method, path, json=body, params=query, headers=self._login(), timeout=timeout)
        if answer.status_code >= 300:
            raise LabelStudioAnswer(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
        return answer.json() if answer.content else None

    def _login(self) -> dict[str, str]:
        if "." not in self._token:
            return {"Authorization": f"Token {self._token}"}
        if time.monotonic() > self._expires:
            reply = self._http.post("/api/token/refresh/", json={"refresh": self._token})
            self._access = str(reply.raise_for_status().json()["access"])
            self._expires = time.monotonic() + 200
        return {"Authorization": f"Bearer {self._access}"}

    # projects -----------------------------------------------------------------------------------------------------

    def create_project(self, title: str, label_config: str, **fields: object) -> int:
        """A new project's id."""
        project = self.send("POST", "/api/projects/", {"title": title, "label_config": label_config, **fields})
        return int(project["id"])

    def project(self, project: int) -> Json:
        """The project with its counts and settings."""
        return dict(self.send("GET", f"/api/projects/{project}/"))

    def projects(self) -> list[Json]:
        """All projects, newest first."""
        return list(self.send("GET", "/api/projects/", page_size=1000)["results"])

    def patch_project(self, project: int, **fields: object) -> None:
        """Settings of the project, such as `label_config` or `sampling`."""
        self.send("PATCH", f"/api/projects/{project}/", fields)

    def delete_project(self, project: int) -> None:
        """The project with all that is in it."""
        self.send("DELETE", f"/api/projects/{project}/")

    def import_tasks(self, project: int, rows: Sequence[Mapping[str, object]]) -> list[int]:
        """Import task data (or whole tasks); the ids of the new tasks, in order."""
        answer = self.send("POST", f"/api/projects/{project}/import", list(rows), return_task_ids="true")
        return [int(task) for task in answer["task_ids"]]

    def import_predictions(self, project: int, rows: Sequence[Mapping[str, object]]) -> int:
        """Store predictions `{task, result, score, model_version}`; how many were stored."""
        return int(self.send("POST", f"/api/projects/{project}/import/predictions", list(rows))["created"])

    # machine learning backend ---------------------------------------------------------------------------------------

    def connect(self, project: int, url: str, title: str = "Shortlist", **fields: object) -> Json:
        """What Settings, Model, Connect does; `fields` such as basic_auth_user and extra_params."""
        return dict(self.send("POST", "/api/ml", {"project": project, "url": url, "title": title, **fields}))

    def connections(self, project: int) -> list[Json]:
        """The project's backends, as Settings, Model and every opened page ask for them."""
        return list(self.send("GET", "/api/ml", project=project))

    def start_training(self, connection: int) -> None:
        """Click Start training."""
        self.send("POST", f"/api/ml/{connection}/train", {})

    def webhooks(self, project: int) -> list[Json]:
        """The project's webhooks."""
        return list(self.send("GET", "/api/webhooks/", project=project))

    def retrieve_predictions(self, project: int, tasks: Sequence[int] | None = None) -> Json:
        """Select tasks (all without `tasks`) in the Data Manager and click Retrieve predictions."""
        return self._action(project, "retrieve_tasks_predictions", tasks)

    def _action(self, project: int, action: str, tasks: Sequence[int] | None) -> Json:
        chosen = {"all": True, "excluded": []} if tasks is None else {"all": False, "included": list(tasks)}
        body = {"selectedItems": chosen, "ordering": [], "project": str(project)}
        return dict(
            self.send("POST", "/api/dm/actions", body, timeout_seconds=ACTION_SECONDS, id=action, project=project)
        )

    # tasks and annotations --------------------------------------------------------------------------------------------

    def tasks(self, project: int) -> list[Json]:
        """All tasks of a project with annotations and predictions, by id."""
        found: list[Json] = []
        page = 1
        while True:
            answer = self.send("GET", "/api/tasks", project=project, fields="all", page_size=500, page=page)
            found += answer["tasks"]
            if len(found) >= answer["total"] or not answer["tasks"]:
                return sorted(found, key=lambda task: int(task["id"]))
            page += 1

    def waiting_for(self, project: int, version: str) -> int:
        """How many tasks without annotation hold no prediction of `version`; cheap, whatever the project's size."""
        wanted = [
            ("total_annotations", "equal", "Number", 0),
            ("predictions_model_versions", "not_contains", "List", [version]),
        ]
        items = [
            {"filter": f"filter:tasks:{column}", "operator": operator, "type": kind, "value": value}
            for column, operator, kind, value in wanted
        ]
        query = json.dumps({"filters": {"conjunction": "and", "items": items}})
        return int(self.send("GET", "/api/tasks", project=project, page_size=1, query=query)["total"])

    def open_task(self, project: int, task: int) -> Json:
        """Open a task from the Data Manager."""
        return dict(self.send("GET", f"/api/tasks/{task}/", project=project))

    def next_task(self, project: int) -> Json | None:
        """Press Label All Tasks, or the moment after Submit: the next task of the stream, None when there is none."""
        try:
            answer = self.send("GET", f"/api/projects/{project}/next/")
        except LabelStudioAnswer as error:
            if ": 404 " in str(error):
                return None
            raise
        return dict(answer)

    def submit(
        self, task: int, result: list[Json], prediction: Json | None = None, seconds: float = LEAD_TIME_SECONDS
    ) -> Json:
        """Press Submit so long after the task was shown; `prediction` is the one that the form was filled from."""
        return self._annotate(task, result, prediction, seconds, was_cancelled=False)

    def skip(self, task: int, prediction: Json | None = None) -> Json:
        """Press Skip."""
        return self._annotate(task, [], prediction, LEAD_TIME_SECONDS, was_cancelled=True)

    def _annotate(
        self, task: int, result: list[Json], prediction: Json | None, seconds: float, *, was_cancelled: bool
    ) -> Json:
        body = {
            "result": result,
            "was_cancelled": was_cancelled,
            "lead_time": seconds,
            "draft_id": 0,
            "parent_prediction": prediction["id"] if prediction else None,
            "parent_annotation": None,
        }
        params: Json = {"was_cancelled": "1"} if was_cancelled else {}
        return dict(self.send("POST", f"/api/tasks/{task}/annotations", body, **params))

    def update(self, annotation: int, result: list[Json]) -> Json:
        """Press Update on an existing annotation."""
        return dict(self.send("PATCH", f"/api/annotations/{annotation}/", {"result": result, "was_cancelled": False}))

    def delete(self, annotation: int) -> None:
        """Delete an annotation."""
        self.send("DELETE", f"/api/annotations/{annotation}/")

    def delete_tasks(self, project: int, tasks: Sequence[int]) -> None:
        """Select tasks in the Data Manager and delete them."""
        self._action(project, "delete_tasks", tasks)

    def delete_annotations(self, project: int, tasks: Sequence[int]) -> None:
        """Select tasks in the Data Manager and delete their annotations."""
        self._action(project, "delete_tasks_annotations", tasks)


def choice(labels: Sequence[str], name: str = "label", text: str = "text", origin: str = "manual") -> Json:
    """One region of a Choices tag, as the interface sends it."""
    region = {"from_name": name, "to_name": text, "type": "choices", "origin": origin}
    return {**region, "value": {"choices": list(labels)}}


def ticked(prediction: Mapping[str, Any], name: str = "label") -> list[str]:
    """The labels that a prediction ticks in the form."""
    regions = [region for region in prediction["result"] if region["from_name"] == name]
    return [str(label) for region in regions for label in region["value"].get("choices", [])]
