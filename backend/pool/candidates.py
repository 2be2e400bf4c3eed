"""Candidate sets: what a teacher version answered for each task, kept before it is used."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from backend.pool.database.bulk import among, chunks, upsert
from backend.pool.database.engine import now_ms, write
from backend.pool.database.engine import read as reading
from backend.pool.database.tables import candidate_sets
from backend.pool.database.tallies import tallies
from backend.pool.text import storable
from model.labels import CandidateSet

if TYPE_CHECKING:
    from model.teacher.base import Answer

table = candidate_sets
LASTING = ("answered", "abstained")  # states that asking again would not change
PAGE = 20_000  # rows per page when a whole version is read or copied
COUNTED = (tallies.c.project == sa.bindparam("number"), tallies.c.kind == table.name,
           tallies.c.version == sa.bindparam("of"))  # fmt: skip
FIGURES = (
    sa.select(tallies.c.state, sa.func.sum(tallies.c.number), sa.func.sum(tallies.c.size))
    .where(*COUNTED)
    .group_by(tallies.c.state)
)


@dataclass(frozen=True, slots=True)
class Reply:
    """A stored answer. `state` is answered, abstained, refused or unparsed; `candidates` is None unless answered."""

    state: str
    candidates: CandidateSet | None


class Stored(NamedTuple):
    """An answer with the hash of the text that was asked: it counts only while the task still has that text."""

    text_hash: str
    reply: Reply

    @property
    def state(self) -> str:
        """Answered, abstained, refused or unparsed."""
        return self.reply.state

    @property
    def candidates(self) -> CandidateSet | None:
        """The labels that the teacher finds possible; None unless it answered."""
        return self.reply.candidates


@dataclass(frozen=True, slots=True)
class Figures:
    """Number of tasks that a teacher version was asked about, and what came of it. `mean_size` in labels per set."""

    count: int = 0
    answered: int = 0
    abstained: int = 0
    unparsed: int = 0
    mean_size: float | None = None
    refused: int = 0

    @property
    def failed(self) -> int:
        """Tasks that can be asked about again: no answer of the model's came."""
        return self.unparsed + self.refused


def save(engine: sa.Engine, project: int, version: str, rows: Sequence[tuple[int, str, Answer]]) -> None:
    """Store answers, each as (task, hash of the asked text, answer), in one transaction; a newer answer replaces."""
    now = now_ms()
    ready = {task: _row(project, version, task, text_hash, answer, now) for task, text_hash, answer in rows}
    with write(engine) as connection:
        upsert(connection, table, [ready[task] for task in sorted(ready)])


def read(engine: sa.Engine, project: int, version: str, ids: Collection[int] | None = None) -> dict[int, Stored]:
    """The stored answers of a teacher version by task: of these tasks, or of all with None."""
    said = (sa.cast(column, sa.Text) for column in (table.c.labels, table.c.confidences, table.c.certain))
    wanted = sa.select(table.c.task, table.c.text_hash, table.c.state, *said)
    wanted = wanted.where(table.c.project == project, table.c.version == version)
    with reading(engine) as connection:
        some = [] if ids is None else chunks(list(ids))
        queries = [wanted] if ids is None else (wanted.where(among(connection, table.c.task, part)) for part in some)
        rows = (row for query in queries for rows in connection.execute(query).partitions(PAGE) for row in rows)
        return {task: Stored(text_hash, Reply(state, _written(*answer))) for task, text_hash, state, *answer in rows}


def tasks(engine: sa.Engine, project: int, version: str) -> list[int]:
    """The tasks that a teacher version was asked about, ascending."""
    query = sa.select(table.c.task).where(table.c.project == project, table.c.version == version)
    with reading(engine) as connection:
        return list(connection.scalars(query.order_by(table.c.task)).all())


def carry_over(
    engine: sa.Engine,
    project: int,
    old_version: str,
    new_version: str,
    keep: Callable[[CandidateSet | None], bool],
) -> int:
    """Copy the answers that `keep` accepts (it gets None for an abstention) to a new teacher version; their number.

    What the new version was asked already stays. Only answers and abstentions are copied, and no costs: they were
    paid once.
    """
    copied = 0
    for page in _pages(engine, project, old_version):
        kept = [row for row in page if row["state"] in LASTING and keep(_of_row(row))]
        free = {"version": new_version, "input_tokens": 0, "output_tokens": 0, "microusd": 0}
        with write(engine) as connection:
            known = _known(connection, project, new_version, [row["task"] for row in kept])
            new = [{**row, **free} for row in kept if row["task"] not in known]
            upsert(connection, table, new, keep=table.c.keys())
        copied += len(new)
    return copied


def latest_ms(engine: sa.Engine, project: int, version: str) -> int:
    """When the last answer of a teacher version came, UTC milliseconds; 0 if none did."""
    query = sa.select(sa.func.max(table.c.created_ms)).where(table.c.project == project, table.c.version == version)
    with reading(engine) as connection:
        return int(connection.scalar(query) or 0)


def figures(engine: sa.Engine, project: int, version: str) -> Figures:
    """Counts that cost the same however many there are. An answer about a text that was edited since counts until it is
    replaced."""
    with reading(engine) as connection:
        rows = connection.execute(FIGURES, {"number": project, "of": version}).all()
    found = {str(state): int(number) for state, number, _ in rows}
    answered, total = found.get("answered", 0), sum(int(size) for _, _, size in rows)
    return Figures(
        sum(found.values()),
        answered,
        found.get("abstained", 0),
        found.get("unparsed", 0),
        total / answered if answered else None,
        found.get("refused", 0),
    )


def forget_failed(engine: sa.Engine, project: int, version: str) -> int:
    """Forget what could not be read and what the server refused, so that it is asked anew; how many tasks."""
    here = (table.c.project == project, table.c.version == version)
    silent = sa.and_(table.c.state == "abstained", table.c.raw == "", table.c.input_tokens == 0)
    failed = sa.or_(table.c.state.not_in(LASTING), silent)  # servers' refusals were once kept as abstentions
    with write(engine) as connection:
        return connection.execute(sa.delete(table).where(*here, failed)).rowcount


def latest_states(engine: sa.Engine, project: int, version: str, number: int) -> list[str]:
    """The states of the last answers of a teacher version, the newest first."""
    query = sa.select(table.c.state).where(table.c.project == project, table.c.version == version)
    with reading(engine) as connection:
        return list(connection.scalars(query.order_by(table.c.created_ms.desc(), table.c.task.desc()).limit(number)))


def mean_microusd(engine: sa.Engine, project: int, version: str) -> float:
    """What an answer of a teacher version did cost on average, micro-dollars; 0 without answers."""
    query = sa.select(sa.func.avg(table.c.microusd)).where(table.c.project == project, table.c.version == version)
    with reading(engine) as connection:
        return float(connection.execute(query).scalar_one() or 0.0)


def _row(project: int, version: str, task: int, text_hash: str, answer: Answer, now: int) -> dict[str, Any]:
    found, usage = answer.candidates, answer.usage
    return {
        "project": project,
        "task": task,
        "version": version,
        "text_hash": text_hash,
        "state": str(answer.state),
        "labels": list(found.labels) if found else [],
        "size": len(found.labels) if found else 0,
        "confidences": list(found.confidences) if found else [],
        "certain": list(found.certain) if found and found.certain is not None else None,
        "raw": storable(answer.raw),
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "microusd": usage.microusd,
        "created_ms": now,
    }


def _of_row(row: Mapping[str, Any]) -> CandidateSet | None:
    return _set(row["labels"], row["confidences"], row["certain"])


@lru_cache(maxsize=4096)
def _written(*answer: str | None) -> CandidateSet | None:
    """The set of a row's labels, confidences and certain labels, each as JSON: many of a million rows are alike."""
    labels, confidences, certain = answer
    stated = json.loads(certain) if certain is not None else None
    return _set(json.loads(labels or "[]"), json.loads(confidences or "[]"), stated)


def _set(labels: Sequence[str], confidences: Sequence[float], certain: Sequence[str] | None) -> CandidateSet | None:
    # a million sets share the names of a few labels
    names = tuple(map(sys.intern, labels))
    if certain is not None:
        return CandidateSet(names, tuple(confidences), names[: len(certain)])
    return CandidateSet(names, tuple(confidences)) if names else None


def _pages(engine: sa.Engine, project: int, version: str) -> Iterator[list[dict[str, Any]]]:
    last = -1
    while True:
        query = sa.select(table).where(table.c.project == project, table.c.version == version, table.c.task > last)
        with reading(engine) as connection:
            rows = [{**row} for row in connection.execute(query.order_by(table.c.task).limit(PAGE)).mappings()]
        if rows:
            last = rows[-1]["task"]
            yield rows
        if len(rows) < PAGE:
            return


def _known(connection: sa.Connection, project: int, version: str, ids: Collection[int]) -> set[int]:
    found: set[int] = set()
    for chunk in chunks(list(ids)):
        here = (table.c.project == project, table.c.version == version, among(connection, table.c.task, chunk))
        found.update(connection.scalars(sa.select(table.c.task).where(*here)))
    return found
