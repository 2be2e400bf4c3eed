"""A paid teacher that is never asked the same question twice: answers are kept in the pool as they come.

Kept is what was answered, and what the model itself abstained from. All else is the server's fault, no answer.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
import structlog

from backend.pool import answers as kept
from backend.pool.database.group_commit import Together
from backend.pool.text import text_hash
from model.labels import CandidateSet
from model.teacher.base import Answer, State, Usage
from model.teacher.errors import TeacherError
from model.teacher.llm import LlmTeacher

log = structlog.get_logger(__name__)


class KeptAnswers:
    """An LLM teacher whose answers are looked up before a question is paid for, and kept at once when they come.

    A question is the same if model, server, way of asking (the teacher's hash), label space and text are. A kept answer
    has no usage: it was paid once.
    """

    paid = True
    fast = False

    def __init__(self, teacher: LlmTeacher, engine: sa.Engine, address: str = "") -> None:
        self.teacher, self.name, self.hash = teacher, teacher.name, teacher.hash
        self._engine = engine
        space = teacher.prompt.space.hash
        self._question = "-".join([teacher.hash, space, hashlib.sha256(address.encode()).hexdigest()[:8]])
        self._together = Together[str, tuple[str, Usage]](self._write)
        teacher.keep = self.keep

    def shortlist(self, texts: Sequence[str]) -> list[Answer]:
        """One answer per text, in order; errors as the teacher's, with kept answers in `partial`."""
        found = self.known(texts)
        places = [place for place, text in enumerate(texts) if text not in found]
        given = {place: found[text] for place, text in enumerate(texts) if text in found}
        if places:
            try:
                new = self.teacher.shortlist([texts[place] for place in places])
            except TeacherError as error:
                error.partial = given | {places[place]: answer for place, answer in error.partial.items()}
                raise
            given |= dict(zip(places, new, strict=True))
        return [given[place] for place in range(len(texts))]

    def upper_bound_microusd(self, texts: Sequence[str]) -> int:
        """What `shortlist(texts)` can cost at most: kept answers are free."""
        return self.teacher.upper_bound_microusd(self.unknown(texts))

    def unknown(self, texts: Sequence[str]) -> list[str]:
        """The texts without a kept answer."""
        found = self.known(texts)
        return [text for text in texts if text not in found]

    def known(self, texts: Sequence[str]) -> dict[str, Answer]:
        """The kept answers by text."""
        hashes = {text_hash(text): text for text in texts}
        rows = kept.read(self._engine, self.name, self._question, list(hashes))
        found = {hashes[key]: answer_from(row.raw) for key, row in rows.items()}
        return {text: answer for text, answer in found.items() if lasting(answer)}

    def keep(self, text: str, answer: Answer) -> None:
        """Keep an answer. A pool that is busy for too long costs the cache an entry, not the job its answers."""
        self.keep_all({text: answer})

    def keep_all(self, answers: Mapping[str, Answer]) -> None:
        """Keep answers by text."""
        worth = {text: answer for text, answer in answers.items() if lasting(answer)}
        rows = {text_hash(text): (answer_to(answer), answer.usage) for text, answer in worth.items()}
        if not rows:
            return
        try:
            self._together.put(rows)
        except sa.exc.OperationalError as error:
            log.warning("an answer was not kept", reason=str(error.orig))

    def _write(self, rows: Mapping[str, tuple[str, Usage]]) -> None:
        kept.save(self._engine, self.name, self._question, rows)


def lasting(answer: Answer) -> bool:
    """Whether asking again would bring the same. Refusals of a server were once kept as abstentions without a word."""
    return answer.state is State.ANSWERED or (answer.state is State.ABSTAINED and bool(answer.raw.strip()))


def answer_to(answer: Answer) -> str:
    """An answer as it is kept; its usage is kept beside it."""
    found = answer.candidates
    content: dict[str, Any] = {"state": str(answer.state), "raw": answer.raw, "reason": answer.reason}
    if found is not None:
        content |= {"labels": list(found.labels), "confidences": list(found.confidences)}
        content |= {"certain": list(found.certain)} if found.certain is not None else {}
    return json.dumps(content, ensure_ascii=False)


def answer_from(kept_text: str) -> Answer:
    """The inverse of `answer_to`, free of charge."""
    content = json.loads(kept_text)
    candidates, certain = None, content.get("certain")
    if content.get("labels") or certain is not None:
        shares, sure = tuple(content["confidences"]), None if certain is None else tuple(certain)
        candidates = CandidateSet(tuple(content["labels"]), shares, sure)
    return Answer(State(content["state"]), candidates, content["raw"], Usage(), content["reason"])
