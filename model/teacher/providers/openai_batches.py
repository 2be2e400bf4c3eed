"""OpenAI's batch API: a file of requests goes up, files of answers and of errors come down."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from model.teacher.errors import TeacherUnavailable, TeacherUnheard
from model.teacher.providers.batch_api import BatchItem, BatchProgress, Trace
from model.teacher.providers.openai import OpenAIProvider
from model.teacher.providers.provider import Request
from model.teacher.providers.said import is_error, said_in

ENDPOINT: Final = "/v1/chat/completions"
METADATA = "shortlist"
LISTED = 100  # batches per page
EARLIER_SECONDS = 86_400  # how much our clock may have been ahead when the batch was handed over
ENDED = ("completed", "failed", "expired", "cancelled")


class OpenAIBatches:
    """Batches of chat completions, at the provider's batch price."""

    def __init__(self, provider: OpenAIProvider) -> None:
        self._provider, self._client = provider, provider.client

    def submit(self, requests: Mapping[str, Request], mark: str) -> str:
        """Uploads the requests and starts the batch; its id. The mark is in its metadata."""
        rows = (
            {"custom_id": key, "method": "POST", "url": ENDPOINT, "body": self._provider.body(request)}
            for key, request in requests.items()
        )
        content = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()
        once = self._client.with_options(max_retries=0)
        try:
            with self._provider.translated():
                file = self._client.files.create(file=("requests.jsonl", content), purpose="batch")
        except TeacherUnheard as error:  # a file alone costs nothing
            raise TeacherUnavailable(str(error)) from None
        with self._provider.translated():
            return once.batches.create(
                input_file_id=file.id, endpoint=ENDPOINT, completion_window="24h", metadata={METADATA: mark}
            ).id

    def find(self, mark: str, totals: Sequence[int], since: float) -> Trace:
        """The batch with this mark."""
        with self._provider.translated():
            for found in self._client.batches.list(limit=LISTED):
                if found.created_at < since - EARLIER_SECONDS:
                    break
                if (found.metadata or {}).get(METADATA) == mark:
                    return Trace(found.id)
        return Trace()

    def progress(self, batch: str) -> BatchProgress:
        """How far it is."""
        with self._provider.translated():
            found = self._client.batches.retrieve(batch)
        counts = found.request_counts
        done, total = (counts.completed + counts.failed, counts.total) if counts else (0, 0)
        return BatchProgress(done, total, found.status in ENDED)

    def results(self, batch: str) -> Iterator[BatchItem]:
        """Answers and errors of an ended batch."""
        with self._provider.translated():
            found = self._client.batches.retrieve(batch)
        for file in (found.output_file_id, found.error_file_id):
            if file:
                with self._provider.translated():
                    content = self._client.files.content(file).text
                yield from (self._item(json.loads(line)) for line in content.splitlines() if line.strip())

    def cancel(self, batch: str) -> None:
        """Stops it; it may take minutes to end."""
        with self._provider.translated():
            self._client.batches.cancel(batch)

    def _item(self, row: dict[str, Any]) -> BatchItem:
        key, response, error = str(row["custom_id"]), row.get("response") or {}, row.get("error") or {}
        status, body = response.get("status_code"), response.get("body") or {}
        if status == 200 and not is_error(body):
            try:
                return BatchItem(key, self._provider.reply(body, batch=True))
            except (TeacherUnavailable, ValueError, TypeError, AttributeError):
                return BatchItem(key, problem="no chat completion", again=True)
        said = said_in(error or body, 0 if status == 200 else status or 0)
        return BatchItem(key, problem=said.words[:200], again=said.status in (0, 408, 409, 429) or said.status >= 500)
