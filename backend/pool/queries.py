"""What the tasks of a query share, where it is a field of their data that no text shows: option GROUP."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

import sqlalchemy as sa

from backend.pool.database.bulk import among, by_task, chunks, delete, together, upsert
from backend.pool.database.engine import read as reading
from backend.pool.database.engine import write
from backend.pool.database.tables import queries as table
from model.pairs import Pair


def save(engine: sa.Engine, project: int, given: Mapping[int, str]) -> int:
    """Store each task's query, "" where its data have none; how many are other ones than before."""
    known = read(engine, project, given)
    other = {task: query for task, query in sorted(given.items()) if known.get(task, "") != query}
    if other:
        none = [task for task, query in other.items() if not query]
        with write(engine) as connection:
            together(connection, project)
            for chunk in chunks(none):
                delete(connection, table, table.c.project == project, among(connection, table.c.task, chunk))
            rows = [{"project": project, "task": task, "query": query} for task, query in other.items() if query]
            upsert(connection, table, rows)
    return len(other)


def read(engine: sa.Engine, project: int, ids: Collection[int]) -> dict[int, str]:
    """The queries of those of these tasks that have one."""
    with reading(engine) as connection:
        return by_task(connection, table.c.query, ids, table.c.project == project)


def there(engine: sa.Engine, project: int) -> bool:
    """Whether any task has one."""
    wanted = sa.select(sa.exists().where(table.c.project == project))
    with reading(engine) as connection:
        return bool(connection.execute(wanted).scalar_one())


def shared(engine: sa.Engine, project: int, pair: Pair | None, texts: Mapping[int, str]) -> Pair | None:
    """The pair with what these tasks (task: text) share; of several queries with one text the first counts."""
    if pair is None or not pair.group:
        return pair
    found = read(engine, project, texts)
    by_text: dict[str, str] = {}
    for task, text in texts.items():
        if task in found:
            by_text.setdefault(text, found[task])
    return replace(pair, queries=by_text)
