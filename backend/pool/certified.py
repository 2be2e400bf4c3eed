"""What a certificate says of every task of its pool: frozen answers, what stands for people, and what was written."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import sqlalchemy as sa

from backend.pool.annotations import human_labels
from backend.pool.database.bulk import among, chunks, delete, in_order, together, upsert
from backend.pool.database.engine import read, write
from backend.pool.database.promise_tables import certified as table
from backend.pool.tasks import all_ids

Role: TypeAlias = Literal["chosen", "audit", "decided", "accepted", "people"]


@dataclass(frozen=True)
class Row:
    """One task. `label` and `score` are the student's, frozen when the look was made; `wrong` is known of the audit.

    `votes` is what each of several people had said by then, person to label; their consensus gave the verdict.
    `lost` is what an audited answer loses by question, in units, where a promise has parts; else None.
    `written` is how Label Studio was told of an accepted label ("annotation" with its number, "prediction"), or "".
    """

    task: int
    role: Role
    label: str
    score: float
    wrong: bool = False
    written: str = ""
    annotation: int | None = None
    votes: dict[str, str] | None = None
    lost: dict[str, int] | None = None


FIELDS = list(Row.__dataclass_fields__)


def replace_all(engine: sa.Engine, project: int, rows: Iterable[Row]) -> None:
    """The rows of a new certificate."""
    ready = [{"project": project, **{name: getattr(row, name) for name in FIELDS}} for row in rows]
    with write(engine) as connection:
        together(connection, project)
        delete(connection, table, table.c.project == project)
        upsert(connection, table, sorted(ready, key=lambda row: int(row["task"])))


def rows(engine: sa.Engine, project: int, role: Role | None = None) -> dict[int, Row]:
    """The rows by task: of one role, or all."""
    query = sa.select(*(table.c[name] for name in FIELDS)).where(table.c.project == project)
    if role is not None:
        query = query.where(table.c.role == role)
    with read(engine) as connection:
        return {row.task: Row(*row) for row in connection.execute(query.order_by(table.c.task))}


def of_tasks(engine: sa.Engine, project: int, tasks: Collection[int]) -> dict[int, Row]:
    """The rows of those of the tasks that have one."""
    query = sa.select(*(table.c[name] for name in FIELDS)).where(table.c.project == project)
    found: dict[int, Row] = {}
    with read(engine) as connection:
        for chunk in chunks(list(tasks)):
            found.update(
                (row.task, Row(*row)) for row in connection.execute(query.where(among(connection, table.c.task, chunk)))
            )
    return found


def to_see(engine: sa.Engine, project: int) -> list[int]:
    """The tasks that a certificate leaves to people and nobody has decided, the most doubtful first; [] without one."""
    left = rows(engine, project, "people").values()
    done, here = (human_labels(engine, project).keys(), set(all_ids(engine, project))) if left else (set(), set())
    return [
        row.task
        for row in sorted(left, key=lambda row: (row.score, row.task))
        if row.task in here and row.task not in done
    ]


def note_written(engine: sa.Engine, project: int, tasks: Collection[int], how: str, annotation: int | None) -> None:
    """Label Studio was told of the accepted labels of these tasks, or ("") holds them no more."""
    with write(engine) as connection:
        for chunk in chunks(sorted(tasks)):
            here = in_order(connection, table, table.c.project == project, among(connection, table.c.task, chunk))
            connection.execute(sa.update(table).where(here).values(written=how, annotation=annotation))


def fingerprint(found: Iterable[Row]) -> str:
    """SHA-256 over task, role, answer, score, verdict, votes and losses of every row: the same for the same rows."""
    digest = hashlib.sha256()
    for row in sorted(found, key=lambda one: one.task):
        votes = "".join(f"\t{who}={label}" for who, label in sorted((row.votes or {}).items()))
        lost = "".join(f"\t{question}:{units}" for question, units in sorted((row.lost or {}).items()))
        digest.update(f"{row.task}\t{row.role}\t{row.label}\t{row.score!r}\t{int(row.wrong)}{votes}{lost}\n".encode())
    return digest.hexdigest()
