"""What paid teachers replied, by question: the same question is never paid twice, whichever project asks it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from backend.pool.database.bulk import among, chunks, upsert
from backend.pool.database.engine import now_ms, write
from backend.pool.database.engine import read as reading
from backend.pool.database.tables import answers
from backend.pool.text import storable

if TYPE_CHECKING:
    from model.teacher.base import Usage


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply as received, and what it did cost when it was paid: micro-dollars and tokens."""

    raw: str
    calls: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    microusd: int


def save(engine: sa.Engine, model: str, prompt_hash: str, replies: Mapping[str, tuple[str, Usage]]) -> None:
    """Keep replies as {hash of the text: (reply as received, what it cost)}; a newer one replaces. They were paid:
    also a process that lost its turn keeps them.

    `prompt_hash` (at most 64 characters) stands for everything else that was sent: prompt, label space, options.
    """
    now = now_ms()
    rows = [
        {
            "model": model,
            "prompt_hash": prompt_hash,
            "text_hash": text_hash,
            "raw": storable(raw),
            "calls": usage.calls,
            "input_tokens": usage.input_tokens,
            "cached_tokens": usage.cached_tokens,
            "output_tokens": usage.output_tokens,
            "microusd": usage.microusd,
            "created_ms": now,
        }
        for text_hash, (raw, usage) in sorted(replies.items())
    ]
    with write(engine, late=True) as connection:
        upsert(connection, answers, rows)


def read(engine: sa.Engine, model: str, prompt_hash: str, text_hashes: Collection[str]) -> dict[str, Reply]:
    """The kept replies to these texts, by the hash of the text."""
    fields = [answers.c[name] for name in Reply.__dataclass_fields__]
    asked = (answers.c.model == model, answers.c.prompt_hash == prompt_hash)
    found: dict[str, Reply] = {}
    with reading(engine) as connection:
        for chunk in chunks(list(text_hashes)):
            query = sa.select(answers.c.text_hash, *fields).where(*asked, among(connection, answers.c.text_hash, chunk))
            found.update((text_hash, Reply(*reply)) for text_hash, *reply in connection.execute(query))
    return found


def forget_empty(engine: sa.Engine) -> int:
    """Drop replies that hold nothing at all, an empty list: a server's fault that was kept; their number."""
    with write(engine) as connection:
        return connection.execute(sa.delete(answers).where(answers.c.raw == "[]")).rowcount
