"""What people did, kept so that events may be lost, doubled or reordered and still give one state."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from backend.pool.annotation import Annotation, Meaning, decide, merge, tombstone
from backend.pool.database.bulk import among, chunks, together, upsert
from backend.pool.database.engine import now_ms, read, write
from backend.pool.database.tables import annotations as table
from backend.pool.database.tables import projects
from backend.pool.promises import withheld
from backend.pool.standing import known, label_names, meaning
from model.labels import Decision, HumanLabel

__all__ = ["Annotation", "by_id", "delete", "of_tasks", "save", "seen_before", "task_ids"]

FIELDS = list(Annotation.__dataclass_fields__)
UNKNOWN = 0  # the task of an annotation of which only the deletion is known
SURELY_MS = 60_000  # what was seen so long before a listing began is older than the listing, whatever times it bears


def save(engine: sa.Engine, project: int, rows: Sequence[Annotation], listed_ms: int | None = None) -> set[int]:
    """Take in what events or lists of Label Studio say; the tasks whose human label changed by it.

    The same rows once more, or older ones, change nothing, and a deleted annotation stays deleted. Only rows that
    Label Studio listed are different: `listed_ms` is when the listing began (UTC milliseconds of our clock). What was
    deleted before was deleted by mistake; and what was seen long before gives way even to a row with an older time,
    which Label Studio writes after its clock was set back. The count of changes grows in the same transaction.
    """
    return _store(engine, project, rows, listed_ms)


def delete(engine: sa.Engine, project: int, ids: Iterable[int], updated_at: str) -> set[int]:
    """Take in that annotations were deleted, known ones or not; the tasks whose human label changed by it."""
    return _store(engine, project, [tombstone(number, UNKNOWN, updated_at) for number in ids], None)


def of_tasks(engine: sa.Engine, project: int, ids: Collection[int] | None = None) -> dict[int, list[Annotation]]:
    """The annotations of these tasks (of all with None) by task, oldest first, the deleted ones included."""
    with read(engine) as connection:
        found = _of_tasks(connection, project, ids)
    by_task: dict[int, list[Annotation]] = defaultdict(list)
    for row in sorted(found.values(), key=lambda row: (row.updated_at, row.annotation)):
        by_task[row.task].append(row)
    return dict(by_task)


def by_id(engine: sa.Engine, project: int, ids: Collection[int]) -> dict[int, Annotation]:
    """Those of these annotations that are known, the deleted ones included."""
    found: dict[int, Annotation] = {}
    with read(engine) as connection:
        for chunk in chunks(list(ids)):
            found |= _select(connection, project, among(connection, table.c.annotation, chunk))
    return found


def seen_before(engine: sa.Engine, project: int, ids: Collection[int], listed_ms: int) -> set[int]:
    """Those of these annotations that were surely seen before a listing began (UTC milliseconds of our clock)."""
    with read(engine) as connection:
        return _seen_before(connection, project, ids, listed_ms - SURELY_MS)


def task_ids(engine: sa.Engine, project: int) -> set[int]:
    """The tasks of all annotations: a late event may tell of a task that is gone."""
    query = sa.select(table.c.task).distinct().where(table.c.project == project, table.c.task != UNKNOWN)
    with read(engine) as connection:
        return set(connection.scalars(query))


def _store(engine: sa.Engine, project: int, events: Sequence[Annotation], listed_ms: int | None) -> set[int]:
    if not events:
        return set()
    with write(engine) as connection:
        together(connection, project)
        before = _concerned(connection, project, events)
        after, weak = dict(before), _overruled(connection, project, before, events, listed_ms)
        for event in events:
            number = event.annotation
            after[number] = merge(weak.pop(number) if number in weak else after.get(number), event)
        _write(connection, project, [row for number, row in after.items() if before.get(number) != row])
        changed = _changed(before, after, meaning(connection, project))
        _count(connection, project, len(changed))
    return changed


def _changed(before: Mapping[int, Annotation], after: Mapping[int, Annotation], ticks: Meaning) -> set[int]:
    """Tasks whose human label is another one than before."""
    old, new = _group(before), _group(after)
    both = new.keys() | old.keys()
    return {task for task in both if decide(old.get(task, []), ticks) != decide(new.get(task, []), ticks)}


def _group(rows: Mapping[int, Annotation]) -> dict[int, list[Annotation]]:
    groups: dict[int, list[Annotation]] = defaultdict(list)
    for row in rows.values():
        if row.task != UNKNOWN:
            groups[row.task].append(row)
    return groups


def _count(connection: sa.Connection, project: int, changed: int) -> None:
    if changed:
        values = {"changes": projects.c.changes + changed, "changed_ms": now_ms()}
        connection.execute(sa.update(projects).where(projects.c.project == project).values(values))


def _write(connection: sa.Connection, project: int, rows: Sequence[Annotation]) -> None:
    now = now_ms()
    ready = [
        {"project": project, "seen_ms": now, **{name: _plain(getattr(row, name)) for name in FIELDS}}
        for row in sorted(rows, key=lambda row: row.annotation)
    ]
    upsert(connection, table, ready)


def _concerned(connection: sa.Connection, project: int, events: Sequence[Annotation]) -> dict[int, Annotation]:
    """What is known of the events' annotations, and of all others of their tasks."""
    found: dict[int, Annotation] = {}
    read_tasks = {UNKNOWN}
    for chunk in chunks(list(events)):
        ids, tasks = {event.annotation for event in chunk}, {event.task for event in chunk} - {UNKNOWN}
        found |= _select(connection, project, table.c.annotation.in_(ids), table.c.task.in_(tasks))
        read_tasks |= tasks
    # deletions do not name their task
    return found | _of_tasks(connection, project, {row.task for row in found.values()} - read_tasks)


def _of_tasks(connection: sa.Connection, project: int, ids: Collection[int] | None) -> dict[int, Annotation]:
    if ids is None:
        return _select(connection, project, table.c.task != UNKNOWN)
    found: dict[int, Annotation] = {}
    for chunk in chunks(list(ids)):
        found |= _select(connection, project, among(connection, table.c.task, chunk))
    return found


def _overruled(
    connection: sa.Connection,
    project: int,
    known: Mapping[int, Annotation],
    listed: Sequence[Annotation],
    listed_ms: int | None,
) -> dict[int, Annotation | None]:
    """Known annotations that a listing overrules, as they count against it: not at all where it brings them back, and
    with its own time where it has them with an older one."""
    if listed_ms is None:
        return {}
    here = {row.annotation: row for row in listed if row.annotation in known}
    gone = [number for number in here if known[number].state == "deleted"]
    later = [number for number, row in here.items() if known[number].updated_at > row.updated_at and number not in gone]
    found: dict[int, Annotation | None] = dict.fromkeys(_seen_before(connection, project, gone, listed_ms))
    for number in _seen_before(connection, project, later, listed_ms - SURELY_MS):
        found[number] = replace(known[number], updated_at=here[number].updated_at)
    return found


def _seen_before(connection: sa.Connection, project: int, ids: Collection[int], limit_ms: int) -> set[int]:
    """Those that were last changed here before this time; or after the present one, by a clock that was set back."""
    found: set[int] = set()
    for chunk in chunks(list(ids)):
        here = (table.c.project == project, among(connection, table.c.annotation, chunk))
        early = (table.c.seen_ms < limit_ms) | (table.c.seen_ms > now_ms() + SURELY_MS)
        found.update(connection.scalars(sa.select(table.c.annotation).where(*here, early)))
    return found


def _select(connection: sa.Connection, project: int, *which: sa.ColumnElement[bool]) -> dict[int, Annotation]:
    """Annotations to which any of these applies; each condition uses its own index, which an OR would not."""
    fields = [table.c[name] for name in FIELDS]
    parts = [sa.select(*fields).where(table.c.project == project, one) for one in which]
    query = parts[0] if len(parts) == 1 else sa.union_all(*parts)
    return {row[0]: _annotation(*row) for row in connection.execute(query)}


def _annotation(*row: Any) -> Annotation:
    """From the columns FIELDS, whose lists become tuples."""
    values: list[Any] = [tuple(value) if isinstance(value, list) else value for value in row]
    return Annotation(*values)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def human_labels(engine: sa.Engine, project: int) -> dict[int, HumanLabel]:
    """The human labels of a project by task; skipped tasks are among them, with no label."""
    with read(engine) as connection:
        ticks = meaning(connection, project)
    decided = ((task, decide(rows, ticks)) for task, rows in of_tasks(engine, project).items())
    return {task: label for task, label in decided if label is not None}


def learnable(engine: sa.Engine, project: int) -> dict[int, HumanLabel]:
    """The human labels from which something may be learned or chosen: those of an audit are not among them."""
    labels = human_labels(engine, project)
    audited = withheld(engine, project, labels)
    return {task: label for task, label in labels.items() if task not in audited}


def decided(engine: sa.Engine, project: int) -> set[int]:
    """The tasks that need no prediction, because people gave them one label, which there still is; an audit's need
    one, as if nobody had decided them."""
    with read(engine) as connection:
        names = label_names(connection, project)
    final = {task: one for task, one in learnable(engine, project).items() if one.decision is Decision.FINAL}
    return {task for task, one in final.items() if known(one.labels, names)}
