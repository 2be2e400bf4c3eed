"""Anthropic's message batches: requests go up as a list, results come down as a stream of lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from model.teacher.errors import TeacherUnavailable
from model.teacher.providers.anthropic import AnthropicProvider
from model.teacher.providers.batch_api import BatchItem, BatchProgress, Trace
from model.teacher.providers.provider import Request

LISTED = 100  # batches per page
EARLIER_SECONDS = 86_400  # how much our clock may have been ahead when the batch was handed over
OWN_FAULT = ("invalid_request_error", "request_too_large", "not_found_error")


class AnthropicBatches:
    """Batches of messages, at the provider's batch price."""

    def __init__(self, provider: AnthropicProvider) -> None:
        self._provider, self._batches = provider, provider.client.messages.batches

    def submit(self, requests: Mapping[str, Request], mark: str) -> str:
        """Starts a batch; its id. The API knows no metadata, so that the mark stands before every key."""
        rows: list[Any] = [
            {"custom_id": f"{mark}-{key}", "params": self._provider.body(request)} for key, request in requests.items()
        ]
        once = self._provider.client.with_options(max_retries=0)
        with self._provider.translated():
            return once.messages.batches.create(requests=rows).id

    def find(self, mark: str, totals: Sequence[int], since: float) -> Trace:
        """The batch with this mark. Keys can be read when it has ended: until then it is perhaps one of the open."""
        perhaps = False
        with self._provider.translated():
            for found in self._batches.list(limit=LISTED):
                if found.created_at.timestamp() < since - EARLIER_SECONDS:
                    break
                counts = found.request_counts
                done = counts.succeeded + counts.errored + counts.canceled + counts.expired
                if done + counts.processing not in totals:
                    continue
                if found.processing_status != "ended":
                    perhaps = True
                elif any(row.custom_id.startswith(f"{mark}-") for row in self._batches.results(found.id)):
                    return Trace(found.id)
        return Trace(perhaps=perhaps)

    def progress(self, batch: str) -> BatchProgress:
        """How far it is."""
        with self._provider.translated():
            found = self._batches.retrieve(batch)
        counts = found.request_counts
        done = counts.succeeded + counts.errored + counts.canceled + counts.expired
        return BatchProgress(done, done + counts.processing, found.processing_status == "ended")

    def results(self, batch: str) -> Iterator[BatchItem]:
        """Outcomes of an ended batch."""
        with self._provider.translated():
            for row in self._batches.results(batch):
                yield self._item(row.custom_id.partition("-")[2], row.result)

    def cancel(self, batch: str) -> None:
        """Stops it; it may take minutes to end."""
        with self._provider.translated():
            self._batches.cancel(batch)

    def _item(self, key: str, result: Any) -> BatchItem:
        if result.type == "succeeded":
            try:
                return BatchItem(key, self._provider.reply(result.message.to_dict(mode="json"), batch=True))
            except (TeacherUnavailable, ValueError, TypeError, AttributeError):
                return BatchItem(key, problem="no message", again=True)
        if result.type == "errored":
            error = result.error.error
            return BatchItem(key, problem=error.message[:200], again=error.type not in OWN_FAULT)
        return BatchItem(key, problem=f"the request was {result.type}", again=True)
