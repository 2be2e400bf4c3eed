"""The batch APIs of both vendors on loopback: submit, poll, results in any order, errors, expiry, cancelling."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from werkzeug import Request, Response

from tests.support.llm_server import AnthropicServer, OpenAIServer, Play, asked_text

Fate = Callable[[str], str]  # text -> succeeded, server_error, refused, expired, malformed


class BatchLife:
    """What both have in common: batches that are worked on only when the test says so."""

    fate: Fate = staticmethod(lambda text: "succeeded")
    most_batches = 99  # further ones are refused
    losing = False  # batches are taken, but nobody hears of it
    bodies: dict[str, dict[str, dict[str, Any]]]
    ended: dict[str, str]

    def _begin(self) -> None:
        self.bodies, self.ended = {}, {}

    def finish(self, how: str = "ended") -> None:
        """All batches end."""
        self.ended = dict.fromkeys(self.bodies, how)


class OpenAIBatchServer(OpenAIServer, BatchLife):
    """/v1/files and /v1/batches."""

    def serve_batches(self, server: Any) -> None:
        """Start answering batch requests."""
        self._begin()
        self.files: dict[str, str] = {}
        self.metadata: dict[str, dict[str, str]] = {}
        server.expect_request("/v1/batches", method="GET").respond_with_handler(self._list)
        server.expect_request("/v1/files", method="POST").respond_with_handler(self._upload)
        server.expect_request("/v1/batches", method="POST").respond_with_handler(self._create)
        server.expect_request(_under("/v1/batches/")).respond_with_handler(self._batch)
        server.expect_request(_under("/v1/files/")).respond_with_handler(self._content)

    def _upload(self, request: Request) -> Response:
        assert request.form["purpose"] == "batch"
        name = f"file-{len(self.files)}"
        self.files[name] = request.files["file"].read().decode()
        return _json({"id": name, "object": "file", "bytes": 1, "created_at": 1, "filename": "f", "purpose": "batch",
                      "status": "processed"})  # fmt: skip

    def _create(self, request: Request) -> Response:
        body = request.get_json()
        rows = [json.loads(line) for line in self.files[body["input_file_id"]].splitlines()]
        assert all(row["url"] == body["endpoint"] and row["method"] == "POST" for row in rows)
        if len(self.bodies) >= self.most_batches:
            return Response(json.dumps(self.error(Play(400, "batch limit reached"))), 400)
        batch = f"batch_{len(self.bodies)}"
        self.bodies[batch] = {row["custom_id"]: row["body"] for row in rows}
        self.metadata[batch] = body["metadata"]
        for row in rows:
            self.check(row["body"])
        return Response("", 502) if self.losing else _json(self._state(batch))

    def _list(self, _request: Request) -> Response:
        rows = [self._state(batch) for batch in reversed(self.bodies)]
        return _json({"object": "list", "data": rows, "has_more": False})

    def _batch(self, request: Request) -> Response:
        batch = request.path.split("/")[3]
        if request.path.endswith("/cancel"):
            self.ended[batch] = "cancelled"
        return _json(self._state(batch))

    def _state(self, batch: str) -> dict[str, Any]:
        total, how = len(self.bodies[batch]), self.ended.get(batch, "")
        files = {"output_file_id": f"out-{batch}", "error_file_id": f"err-{batch}"} if how else {}
        return {"id": batch, "object": "batch", "endpoint": "/v1/chat/completions", "input_file_id": "x",
                "completion_window": "24h", "created_at": int(time.time()), "metadata": self.metadata[batch],
                "status": how.replace("ended", "completed") or "in_progress",
                "request_counts": {"total": total, "completed": total if how else 1, "failed": 0}, **files}  # fmt: skip

    def _content(self, request: Request) -> Response:
        kind, batch = request.path.split("/")[3].split("-", 1)
        lines = [json.dumps(row) for key, body in reversed(self.bodies[batch].items())
                 for row in [self._row(key, body, self.fate(asked_text(body)))] if row[0] == kind]  # fmt: skip
        return Response("\n".join(json.dumps(json.loads(line)[1]) for line in lines))

    def _row(self, key: str, body: dict[str, Any], fate: str) -> tuple[str, dict[str, Any]]:
        row: dict[str, Any] = {"id": "r", "custom_id": key, "response": None, "error": None}
        if fate == "expired":
            return "err", {**row, "error": {"code": "batch_expired", "message": "expired"}}
        if fate in ("refused", "server_error"):
            status = 400 if fate == "refused" else 500
            return "err", {**row, "response": {"status_code": status, "body": {"error": {"message": fate}}}}
        said = "Paris" if fate == "malformed" else self.answer(asked_text(body))
        return "out", {**row, "response": {"status_code": 200, "body": self.reply(body, said, "stop")}}


class AnthropicBatchServer(AnthropicServer, BatchLife):
    """/v1/messages/batches."""

    def serve_batches(self, server: Any) -> None:
        """Start answering batch requests."""
        self._begin()
        server.expect_request("/v1/messages/batches", method="POST").respond_with_handler(self._create)
        server.expect_request("/v1/messages/batches", method="GET").respond_with_handler(self._list)
        server.expect_request(_under("/v1/messages/batches/")).respond_with_handler(self._batch)

    def _create(self, request: Request) -> Response:
        if len(self.bodies) >= self.most_batches:
            return Response(json.dumps(self.error(Play(400, "batch limit reached"))), 400)
        batch = f"msgbatch_{len(self.bodies)}"
        rows = request.get_json()["requests"]
        self.bodies[batch] = {row["custom_id"]: row["params"] for row in rows}
        for row in rows:
            self.check(row["params"])
        return Response("", 502) if self.losing else _json(self._state(batch))

    def _list(self, _request: Request) -> Response:
        rows = [self._state(batch) for batch in reversed(self.bodies)]
        return _json({"data": rows, "has_more": False, "first_id": None, "last_id": None})

    def _batch(self, request: Request) -> Response:
        batch = request.path.split("/")[4]
        if request.path.endswith("/results"):
            rows = [{"custom_id": key, "result": self._result(body)} for key, body in self.bodies[batch].items()]
            lines = "\n".join(json.dumps(row) for row in reversed(rows))
            return Response(lines, content_type="application/x-jsonl")
        if request.path.endswith("/cancel"):
            self.ended[batch] = "cancelled"
        return _json(self._state(batch))

    def _state(self, batch: str) -> dict[str, Any]:
        total, how = len(self.bodies[batch]), self.ended.get(batch, "")
        counts = {"canceled": 0, "errored": 0, "expired": 0, "processing": 0 if how else total - 1,
                  "succeeded": total if how else 1}  # fmt: skip
        return {"id": batch, "type": "message_batch", "created_at": datetime.now(UTC).isoformat(),
                "expires_at": "2026-11-02T00:00:00Z", "processing_status": "ended" if how else "in_progress",
                "request_counts": counts,
                "results_url": f"{self.base_url}/v1/messages/batches/{batch}/results" if how else None}  # fmt: skip

    def _result(self, body: dict[str, Any]) -> dict[str, Any]:
        fate = self.fate(asked_text(body))
        if fate == "expired":
            return {"type": "expired"}
        if fate in ("refused", "server_error"):
            kind = "invalid_request_error" if fate == "refused" else "api_error"
            return {"type": "errored", "error": {"type": "error", "error": {"type": kind, "message": fate}}}
        said = "Paris" if fate == "malformed" else self.answer(asked_text(body))
        return {"type": "succeeded", "message": self.reply(body, said, "end_turn")}


def _under(path: str) -> Any:
    import re

    return re.compile(re.escape(path) + ".+")


def _json(content: dict[str, Any]) -> Response:
    return Response(json.dumps(content), content_type="application/json")
