"""Bulk annotation through a provider's batch API: half the price, an answer within a day. A capability of its own.

A batch is submitted, its ticket is stored by the caller, and anybody who has the ticket may ask how far it is, collect
what is there, or cancel it, also after a restart. What expired or failed on the server's side is to be asked again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import structlog

from model.teacher.base import Answer, State, Usage
from model.teacher.errors import TeacherError
from model.teacher.llm import LlmTeacher, answer_of
from model.teacher.prompting.composing import most_sent
from model.teacher.providers.batch_api import Batches, BatchItem, BatchProgress, Trace
from model.teacher.providers.provider import Request

log = structlog.get_logger(__name__)

KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")
LARGEST_BATCH = 10_000  # requests; below the limits of both providers, in bytes too
WORTH_IT = 1_000  # texts; below it a normal run is done before a batch would be
COMPOSED_AT_ONCE = 500  # requests: bounds memory for embeddings


@dataclass(frozen=True)
class Ticket:
    """All that is needed to come back to a submission. `to_json` and `from_json` are inverse."""

    teacher: str  # hash of the teacher that was asked
    batches: dict[str, list[str]]  # batch id -> keys
    twins: dict[str, str] = field(default_factory=dict)  # key -> key of the same text that was sent

    def to_json(self) -> dict[str, Any]:
        """A plain object."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Ticket:
        """From a stored object."""
        return cls(content["teacher"], content["batches"], content["twins"])


@dataclass(frozen=True)
class Collected:
    """What a submission brought: answers by key, keys to ask again in a normal run, and whether all has ended.

    `spent` is everything that was paid, answers to be asked again included; of `uncounted` replies it is not known.
    """

    answers: dict[str, Answer]
    again: tuple[str, ...]
    ended: bool
    spent: Usage
    uncounted: int = 0


class BatchTeacher:
    """An LLM teacher asked through its provider's batch API."""

    def __init__(self, teacher: LlmTeacher, batches: Batches) -> None:
        self.teacher, self._batches = teacher, batches

    def submit(self, texts: Mapping[str, str], mark: str) -> Ticket:
        """Starts batches for texts by key. `mark` (hex digits) is what they are found by if the provider's answer is
        lost, see `find`.

        Equal texts are sent once. If a later batch is refused, the ticket holds the earlier ones: what is not in it was
        not asked about. Raises TeacherRefused or TeacherUnavailable if nothing was submitted. A wrong key or an unknown
        parameter shows only in the batch: ask the teacher something directly before, if it has not worked yet.
        """
        wrong = next((key for key in texts if not KEY.fullmatch(key)), None)
        if wrong is not None:
            raise ValueError(f"key {wrong!r} of a batch has other characters than letters, digits, - and _")
        first: dict[str, str] = {}
        for key, text in texts.items():
            first.setdefault(text, key)
        batches = self._submitted(list(first.items()), mark)
        sent = {key for keys in batches.values() for key in keys}
        twins = {key: first[text] for key, text in texts.items() if first[text] != key and first[text] in sent}
        return Ticket(self.teacher.hash, batches, twins)

    def _submitted(self, rows: Sequence[tuple[str, str]], mark: str) -> dict[str, list[str]]:
        batches: dict[str, list[str]] = {}
        for start in range(0, len(rows), LARGEST_BATCH):
            chunk = rows[start : start + LARGEST_BATCH]
            try:
                batch = self._batches.submit(self._requests(chunk), mark)
            except TeacherError as error:
                if not batches:
                    raise
                log.warning("not all batches were taken", taken=len(batches), reason=str(error))
                break
            batches[batch] = [key for _, key in chunk]
        return batches

    def _requests(self, rows: Sequence[tuple[str, str]]) -> dict[str, Request]:
        requests: dict[str, Request] = {}
        for start in range(0, len(rows), COMPOSED_AT_ONCE):
            part = rows[start : start + COMPOSED_AT_ONCE]
            composed = self.teacher.composer.requests([text for text, _ in part])
            requests |= {key: request for (_, key), request in zip(part, composed, strict=True)}
        return requests

    def find(self, mark: str, texts: int, since: float) -> Trace:
        """The batch that was submitted with this mark for so many different texts."""
        return self._batches.find(mark, (texts,), since)

    def progress(self, ticket: Ticket) -> BatchProgress:
        """How far all batches of a ticket are, together."""
        parts = [self._batches.progress(batch) for batch in ticket.batches]
        total = sum(len(keys) for keys in ticket.batches.values())
        return BatchProgress(sum(part.done for part in parts), total, all(part.ended for part in parts))

    def collect(self, ticket: Ticket) -> Collected:
        """The outcomes of all batches that have ended. May be called again; it costs nothing."""
        answers: dict[str, Answer] = {}
        again: list[str] = []
        spent, ended, uncounted = Usage(), True, 0
        for batch, keys in ticket.batches.items():
            if not self._batches.progress(batch).ended:
                ended = False
                continue
            items = {item.key: item for item in self._batches.results(batch)}
            for key in keys:
                item = items.get(key, BatchItem(key, problem="the batch expired", again=True))
                spent += item.reply.usage if item.reply else Usage()
                uncounted += item.reply is not None and not item.reply.usage.input_tokens
                answer = self._answer(item)
                if answer is None:
                    again.append(key)
                else:
                    answers[key] = answer
        twins = {key: sent for key, sent in ticket.twins.items() if sent in answers}
        answers |= {key: replace(answers[sent], usage=Usage()) for key, sent in twins.items()}
        again += [key for key, sent in ticket.twins.items() if sent in set(again)]
        return Collected(answers, tuple(again), ended, spent, uncounted)

    def _answer(self, item: BatchItem) -> Answer | None:
        """None: to be asked again."""
        if item.reply is None:
            return None if item.again else Answer(State.REFUSED, None, "", reason=item.problem)
        parsed = self.teacher.read(item.reply)
        return None if parsed.state is State.UNPARSED else answer_of(parsed, item.reply.text, item.reply.usage)

    def cancel(self, ticket: Ticket) -> None:
        """Cancels what has not ended. What was answered before can still be collected."""
        for batch in ticket.batches:
            if not self._batches.progress(batch).ended:
                self._batches.cancel(batch)

    def upper_bound_microusd(self, texts: Sequence[str]) -> int:
        """What submitting these texts can cost at most."""
        price, most = self.teacher.price, self.teacher.provider.most_output
        requests = self.teacher.composer.requests(list(dict.fromkeys(texts)))
        full = sum(price.bound(most_sent(request), most(request.max_tokens)) for request in requests)
        return int(full * price.batch) + len(requests)
