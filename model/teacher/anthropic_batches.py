"""Anthropic's message batches: requests go up as a list, results come down as a stream of lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from model.teacher.anthropic import AnthropicProvider
from model.teacher.batches import BatchItem, BatchProgress
from model.teacher.provider import Request

OWN_FAULT = ("invalid_request_error", "request_too_large", "not_found_error")


class AnthropicBatches:
    """Batches of messages, at the provider's batch price."""

    def __init__(self, provider: AnthropicProvider) -> None:
        self._provider, self._batches = provider, provider.client.messages.batches

    def submit(self, requests: Mapping[str, Request]) -> str:
        """Starts a batch; its id."""
        rows: list[Any] = [
            {"custom_id": key, "params": self._provider.body(request)} for key, request in requests.items()
        ]
        with self._provider.translated():
            return self._batches.create(requests=rows).id

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
                yield self._item(row.custom_id, row.result)

    def cancel(self, batch: str) -> None:
        """Stops it; it may take minutes to end."""
        with self._provider.translated():
            self._batches.cancel(batch)

    def _item(self, key: str, result: Any) -> BatchItem:
        if result.type == "succeeded":
            return BatchItem(key, self._provider.reply(result.message, batch=True))
        if result.type == "errored":
            error = result.error.error
            return BatchItem(key, problem=error.message[:200], again=error.type not in OWN_FAULT)
        return BatchItem(key, problem=f"the request was {result.type}", again=True)
