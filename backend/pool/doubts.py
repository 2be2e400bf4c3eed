"""Decisions of people that are worth a second look, and what came of each look: changed, or confirmed.

A decision is confirmed by whoever submits it again unchanged after the doubt arose, by another person who decides
alike, or on the page. A doubt that was looked at does not come back: another answer instead is another doubt.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, TypeAlias

import sqlalchemy as sa

from backend.pool.annotation import decide
from backend.pool.annotations import of_tasks
from backend.pool.database.bulk import delete, together, upsert
from backend.pool.database.engine import now_ms, read, write
from backend.pool.database.people_tables import doubts as table
from backend.pool.standing import meaning
from backend.pool.tasks import hashes

Kind: TypeAlias = Literal["twins", "others"]
State: TypeAlias = Literal["open", "confirmed", "changed"]


@dataclass(frozen=True)
class Doubt:
    """A decision (`labels`) about a text, and what is `said` instead: by `near`, the same text decided otherwise
    ("twins"), or by others, who have not learned it; `near` are the most similar decided texts.

    `margin` is 0 for the strongest doubt and 1 for none; `decided_at` the newest time of the task's annotations when
    the doubt arose, as Label Studio writes it.
    """

    task: int
    text_hash: str
    labels: tuple[str, ...]
    said: tuple[str, ...]
    kind: Kind
    margin: float
    near: tuple[int, ...] = ()
    decided_at: str = ""
    state: State = "open"
    settled_ms: int = 0

    @property
    def key(self) -> str:
        """The same for the same doubt about the same text."""
        content = json.dumps([self.text_hash, sorted(self.labels), sorted(self.said)])
        return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:16]


class Decided(NamedTuple):
    """What people say of a task now, and when they last said something."""

    labels: tuple[str, ...]
    at: str


FIELDS = list(Doubt.__dataclass_fields__)


def of_project(engine: sa.Engine, project: int) -> list[Doubt]:
    """All doubts as they stand now, duplicates first, then the strongest; those about other texts are left out."""
    found = _stored(engine, project)
    now = decided(engine, project, {one.task for one in found if one.state == "open"})
    texts = hashes(engine, project, {one.task for one in found})
    here = [settled(one, now.get(one.task)) for one in found if texts.get(one.task) == one.text_hash]
    return sorted(here, key=lambda one: (one.kind != "twins", one.margin, one.task))


def settled(doubt: Doubt, now: Decided | None) -> Doubt:
    """A doubt after what people have decided since it arose."""
    if doubt.state != "open" or now is None:
        return doubt
    if set(now.labels) != set(doubt.labels):
        return replace(doubt, state="changed")
    return replace(doubt, state="confirmed") if now.at > doubt.decided_at else doubt


def decided(engine: sa.Engine, project: int, ids: Collection[int]) -> dict[int, Decided]:
    """What people say of these tasks now; a decision that was taken back is an empty one."""
    with read(engine) as connection:
        ticks = meaning(connection, project)
    said = {}
    for task, rows in of_tasks(engine, project, ids).items():
        found = decide(rows, ticks)
        said[task] = Decided(found.labels if found else (), max(row.updated_at for row in rows))
    return said


def renew(engine: sa.Engine, project: int, found: Iterable[Doubt]) -> None:
    """The doubts that a training found take the place of the open ones; what was looked at stays so."""
    found = list(found)
    looked = [one for one in of_project(engine, project) if one.state != "open"]
    now = decided(engine, project, {one.task for one in found})
    same = [one for one in found if one.task in now and set(now[one.task].labels) == set(one.labels)]
    fresh = [replace(one, decided_at=now[one.task].at) for one in same]
    with write(engine) as connection:
        together(connection, project)
        delete(connection, table, table.c.project == project, table.c.state == "open")
        known = {(task, key) for task, key in connection.execute(
            sa.select(table.c.task, table.c.key).where(table.c.project == project))}  # fmt: skip
        time = now_ms()
        rows = [replace(one, settled_ms=one.settled_ms or time) for one in looked]
        done = known | {(one.task, one.key) for one in rows}
        rows = [one for one in rows if (one.task, one.key) not in known]
        upsert(connection, table, _plain(project, [*rows, *(one for one in fresh if (one.task, one.key) not in done)]))


def confirm(engine: sa.Engine, project: int, task: int) -> int:
    """Somebody says that the decision about a task is right; how many open doubts that settles."""
    with write(engine) as connection:
        together(connection, project)
        here = (table.c.project == project, table.c.task == task, table.c.state == "open")
        values = {"state": "confirmed", "settled_ms": now_ms()}
        return connection.execute(sa.update(table).where(*here).values(**values)).rowcount


def _stored(engine: sa.Engine, project: int) -> list[Doubt]:
    query = sa.select(*(table.c[name] for name in FIELDS)).where(table.c.project == project)
    with read(engine) as connection:
        return [_doubt(row._mapping) for row in connection.execute(query)]


def _doubt(row: Mapping[Any, Any]) -> Doubt:
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}
    return Doubt(**values)


def _plain(project: int, rows: Sequence[Doubt]) -> list[dict[str, object]]:
    """Rows for the database, in the order of their key, none twice."""
    found = {(one.task, one.key): one for one in rows}
    return [
        {"project": project, "key": key}
        | {name: list(value) if isinstance(value := getattr(one, name), tuple) else value for name in FIELDS}
        for (_, key), one in sorted(found.items())
    ]
