"""A server on loopback that speaks the part of Label Studio's API that Shortlist uses, with faults on demand.

Answers have the shapes, status codes and surprises that were measured on Label Studio 1.23.2.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

TOKEN = "0123456789abcdef0123456789abcdef01234567"
CONFIG = (
    '<View><Text name="text" value="$text"/><Choices name="label" toName="text" choice="multiple" answer="one">'
    '<Choice value="billing" hint="charges, invoices"/><Choice value="refund" hint="wants money back"/>'
    '<Choice value="shipping" hint="parcel late or lost"/></Choices></View>'
)
Row = dict[str, Any]


class LabelStudioDouble:
    """One project with tasks. `faults` maps "METHOD path-part" to (status, body) for the next requests."""

    def __init__(self, server: HTTPServer, project: int = 7) -> None:
        self.server, self.number = server, project
        self.url = server.url_for("").rstrip("/")
        self.created = "2026-11-21T05:00:00.250000Z"
        self.fields: Row = {"title": "tickets", "label_config": CONFIG, "model_version": "", "created_at": self.created}
        self.tasks: dict[int, Row] = {}
        self.predictions: list[Row] = []
        self.connections: dict[int, Row] = {}
        self.webhooks: dict[int, Row] = {}
        self.faults: dict[str, list[tuple[int, object]]] = {}
        self.requests: list[str] = []
        self.release = "1.23.2"
        self.blocked = self.drop_rows = False
        self.part: int | None = None  # it takes imported rows in parts of so many, each stored before the next is read
        self.after_import: Callable[[], None] = lambda: None
        self._ids, self._now = itertools.count(1), datetime(2026, 11, 21, 6, tzinfo=UTC)
        server.expect_request(re.compile(r".*")).respond_with_handler(self._answer)

    def time(self) -> str:
        """The next moment of its clock."""
        self._now += timedelta(seconds=1)
        return self._now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def stored(self) -> Row:
        """All that it holds; `store` makes another one the same."""
        kept = ("fields", "tasks", "predictions", "connections", "webhooks", "_now")
        following = next(self._ids)
        self._ids = itertools.count(following)
        return {**{name: deepcopy(getattr(self, name)) for name in kept}, "_ids": following}

    def store(self, content: Row) -> None:
        """Hold what another one `stored`."""
        vars(self).update(deepcopy({**content, "_ids": None}), _ids=itertools.count(content["_ids"]))

    def add_tasks(self, texts: list[str]) -> list[int]:
        """New tasks; their ids."""
        ids = [next(self._ids) for _ in texts]
        for task, text in zip(ids, texts, strict=True):
            self.tasks[task] = {"id": task, "data": {"text": text}, "annotations": [], "updated_at": self.time()}
        return ids

    def annotate(self, task: int, labels: list[str], user: int = 1, skipped: bool = False) -> int:
        """A person submits; the annotation's id."""
        value = {"from_name": "label", "to_name": "text", "type": "choices", "value": {"choices": labels}}
        number, moment = next(self._ids), self.time()
        row = {"id": number, "result": [] if skipped else [value], "completed_by": user, "was_cancelled": skipped}
        row |= {"ground_truth": False, "created_at": moment, "updated_at": moment, "parent_prediction": None}
        self.tasks[task]["annotations"].append(row)
        self.tasks[task]["updated_at"] = self.time()
        return number

    def remove_annotation(self, task: int, number: int) -> None:
        """A person deletes an annotation."""
        kept = [row for row in self.tasks[task]["annotations"] if row["id"] != number]
        self.tasks[task] |= {"annotations": kept, "updated_at": self.time()}

    def versions_of(self, task: int) -> list[str]:
        """The versions of the predictions that a task has, doubles included."""
        return [row["model_version"] for row in self.predictions if row["task"] == task]

    def _answer(self, request: Request) -> Response:
        key = f"{request.method} {request.path}"
        self.requests.append(key)
        for fault, answers in self.faults.items():
            if answers and key.startswith(fault):
                return _json(answers.pop(0)[::-1])
        if request.headers.get("Authorization") != f"Token {TOKEN}":
            return _json(({"detail": "Invalid token."}, 401))
        parts = [part for part in request.path.split("/") if part][1:]
        body = json.loads(request.data) if request.data else None
        answer = _json(self._route(request.method, parts, dict(request.args), body))
        answer.date = self._now  # its clock, not that of this machine
        return answer

    def _route(self, method: str, parts: list[str], args: dict[str, str], body: Any) -> tuple[object, int]:  # noqa: PLR0911, PLR0912
        match (method, *parts):
            case ("GET", "current-user" | "version", *_):
                return {"email": "admin@example.com", "release": self.release}, 200
            case ("GET", "projects"):
                return {"count": 1, "results": [self._project()]}, 200
            case ("GET", "projects", number) if int(number) == self.number:
                return self._project(), 200
            case ("PATCH", "projects", _):
                self.fields |= body
                return self._project(), 200
            case ("GET", "predictions"):
                return [row for row in self.predictions if row["task"] == int(args["task"])], 200
            case ("PATCH", "predictions", number):
                (found,) = [row for row in self.predictions if row["id"] == int(number)]
                found |= body
                return found, 200
            case ("DELETE", "predictions", number):
                self.predictions = [row for row in self.predictions if row["id"] != int(number)]
                return None, 204
            case ("PATCH", "tasks", number) if int(number) in self.tasks:
                self.tasks[int(number)] |= {**body, "updated_at": self.time()}
                return self.tasks[int(number)], 200
            case ("GET", "tasks", number, "annotations") if int(number) in self.tasks:
                return self.tasks[int(number)]["annotations"], 200
            case ("POST", "tasks", number, "annotations"):
                return self._annotated(int(number), body), 201
            case ("DELETE", "annotations", number):
                for task in [row["id"] for row in self.tasks.values() if int(number) in _ids(row)]:
                    self.remove_annotation(task, int(number))
                return None, 204
            case ("POST", "projects", _, "import", "predictions"):
                return self._import(body)
            case ("GET", "tasks"):
                return self._list(args), 200
            case (_, "ml", *rest):
                return self._connection(method, rest, body)
            case (_, "webhooks", *rest):
                return self._webhook(method, rest, body)
        return {"detail": "Not found."}, 404

    def _annotated(self, task: int, body: Row) -> Row:
        number, moment = next(self._ids), self.time()
        row = {
            "id": number,
            "completed_by": 1,
            "ground_truth": False,
            "created_at": moment,
            "updated_at": moment,
            **body,
        }
        self.tasks[task]["annotations"].append(row)
        self.tasks[task]["updated_at"] = self.time()
        return row

    def _project(self) -> Row:
        return {"id": self.number, "show_collab_predictions": True, "task_number": len(self.tasks), **self.fields}

    def _list(self, args: dict[str, str]) -> Row:
        query = json.loads(args["query"])
        assert query["ordering"] == ["tasks:id"]
        chosen = sorted(self.tasks.values(), key=lambda row: int(row["id"]))
        for item in query["filters"]["items"]:
            column = item["filter"].removeprefix("filter:tasks:")
            if column == "updated_at":
                datetime.strptime(item["value"], "%Y-%m-%dT%H:%M:%S.%fZ")
            chosen = [row for row in chosen if row[column] > item["value"]]
        page = chosen[: int(args["page_size"])]
        return {"total": len(chosen), "tasks": [self._shown(row, args["include"].split(",")) for row in page]}

    def _shown(self, row: Row, wanted: list[str]) -> Row:
        versions = ",".join(self.versions_of(row["id"]))
        full = {**row, "predictions_model_versions": versions}
        held = (one for one in self.predictions if one["task"] == row["id"])
        full["predictions"] = [{k: v for k, v in one.items() if k in wanted} for one in held]
        full["annotations"] = [{k: v for k, v in one.items() if k in wanted} for one in row["annotations"]]
        return {name: value for name, value in full.items() if name in wanted}

    def _import(self, rows: list[Row]) -> tuple[object, int]:
        part = self.part or max(len(rows), 1)
        for start in range(0, len(rows), part):
            answer, status = self._import_part(rows[start : start + part])
            if status != 201:
                return answer, status
        self.after_import()
        return {"created": len(rows) - self.drop_rows}, 201

    def _import_part(self, rows: list[Row]) -> tuple[object, int]:
        unknown = [row["task"] for row in rows if row["task"] not in self.tasks]
        if unknown:
            text = f"'task': {unknown[0]} contains invalid \"task\" field: corresponding task ID couldn't be retrieved"
            return {"non_field_errors": [text]}, 400
        kept = rows[:-1] if self.drop_rows else rows
        self.predictions += [{**row, "id": next(self._ids)} for row in kept]
        return None, 201

    def _connection(self, method: str, rest: list[str], body: Any) -> tuple[object, int]:
        if method == "GET":
            return list(self.connections.values()), 200
        if method == "DELETE":
            del self.connections[int(rest[0])]
            return None, 204
        if method == "PATCH":
            old = self.connections[int(rest[0])]
            if self.fields["model_version"] == old["title"]:
                self.fields["model_version"] = body.get("title", old["title"])
            old |= {"state": "CO", **body}
            return old, 200
        number = next(self._ids)
        self.connections[number] = {"id": number, "state": "CO", "readable_state": "Connected", **body}
        if self.blocked:  # the row is saved all the same
            return {"detail": "URL resolves to a reserved network address (block: 127.0.0.0/8)"}, 403
        self._webhook("POST", [], {"url": body["url"] + "/webhook", "headers": {}, "is_active": True,
                                   "send_payload": True})  # fmt: skip
        self.fields["model_version"] = self.fields["model_version"] or body["title"]
        return self.connections[number], 201

    def _webhook(self, method: str, rest: list[str], body: Any) -> tuple[object, int]:
        if method == "GET":
            return list(self.webhooks.values()), 200
        if method == "DELETE":
            del self.webhooks[int(rest[0])]
            return None, 204
        if self.blocked:
            return {"detail": "URL resolves to a reserved network address (block: 127.0.0.0/8)"}, 403
        number = int(rest[0]) if rest else next(self._ids)
        self.webhooks[number] = {**self.webhooks.get(number, {"id": number}), **body}
        return self.webhooks[number], 201 if method == "POST" else 200


def _ids(task: Row) -> list[int]:
    return [row["id"] for row in task["annotations"]]


def _json(answer: tuple[object, int]) -> Response:
    content, status = answer
    text = "" if content is None else content if isinstance(content, str) else json.dumps(content)
    return Response(text, status, content_type="application/json")
