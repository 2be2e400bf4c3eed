"""TODO."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from model.teacher.providers.provider import Reply, Request


@dataclass(frozen=True, slots=True)
class BatchItem:
    """The outcome of one request: a reply, or why there is none. `again`: asking again may help."""

    key: str
    reply: Reply | None = None
    problem: str = ""
    again: bool = False


@dataclass(frozen=True, slots=True)
class BatchProgress:
    """How far one batch is. `ended`: nothing will change any more, results can be read."""

    done: int
    total: int
    ended: bool


@dataclass(frozen=True, slots=True)
class Trace:
    """What became of a submission whose answer nobody heard. `perhaps`: it cannot be told yet."""

    batch: str = ""
    perhaps: bool = False


class Batches(Protocol):
    """A provider's batch API."""

    def submit(self, requests: Mapping[str, Request], mark: str) -> str:
        """Starts a batch, once, without retries: a second one would be paid, too; its id. `mark` goes with it.

        Raises TeacherUnheard if the provider may have taken it.
        """

    def find(self, mark: str, totals: Sequence[int], since: float) -> Trace:
        """The batch with this mark, which has one of these numbers of requests, started after `since` (epoch)."""

    def progress(self, batch: str) -> BatchProgress: ...
    def results(self, batch: str) -> Iterator[BatchItem]:
        """Outcomes of an ended batch, in any order; keys without one have expired."""

    def cancel(self, batch: str) -> None: ...
