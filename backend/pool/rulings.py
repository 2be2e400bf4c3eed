"""Who decided each task that a committee version answered: its votes, the teacher, a fallback, or nobody yet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from backend.pool.database.bulk import delete, upsert
from backend.pool.database.engine import read, write
from backend.pool.database.student_tables import predictions, rulings
from backend.pool.database.tables import annotations as people
from backend.pool.database.tables import candidate_sets
from backend.pool.figures import Checked, check, labelled
from backend.pool.standing import outdated


def save(engine: sa.Engine, project: int, version: str, sources: Mapping[int, str]) -> None:
    """Store sources by task; a newer one replaces."""
    row = {"project": project, "version": version}
    with write(engine) as connection:
        upsert(connection, rulings, [{**row, "task": task, "source": sources[task]} for task in sorted(sources)])


def of_source(engine: sa.Engine, project: int, version: str, source: str) -> set[int]:
    """The tasks of one source."""
    query = sa.select(rulings.c.task).where(*_standing(project, version), rulings.c.source == source)
    with read(engine) as connection:
        return set(connection.scalars(query))


def counts(engine: sa.Engine, project: int, version: str) -> dict[str, int]:
    """How many tasks each source decided, without those that people have labelled themselves, before or since."""
    person = sa.select(sa.literal(1)).where(*labelled(project), people.c.task == rulings.c.task)
    query = sa.select(rulings.c.source, sa.func.count()).where(*_standing(project, version), ~sa.exists(person))
    query = query.group_by(rulings.c.source)
    with read(engine) as connection:
        return {source: int(number) for source, number in connection.execute(query)}


def unasked(engine: sa.Engine, project: int, version: str, teacher: str) -> int:
    """How many tasks the votes leave open that neither the teacher version nor people have answered."""
    person = sa.select(sa.literal(1)).where(*labelled(project), people.c.task == rulings.c.task)
    mine = (candidate_sets.c.project == project, candidate_sets.c.version == teacher, ~outdated(candidate_sets))
    asked = sa.select(sa.literal(1)).where(*mine, candidate_sets.c.task == rulings.c.task)
    query = sa.select(sa.func.count()).where(*_standing(project, version), rulings.c.source == "unresolved")
    with read(engine) as connection:
        return int(connection.execute(query.where(~sa.exists(person), ~sa.exists(asked))).scalar_one())


def checked(engine: sa.Engine, project: int) -> dict[str, Checked]:
    """By source, what people decided where a committee's answer had stood in the form: over all its versions."""
    same = (rulings.c.project == people.c.project) & (rulings.c.task == people.c.task)
    query = (
        sa.select(rulings.c.source, people.c.task, people.c.labels, people.c.shown_labels)
        .join(rulings, same & (rulings.c.version == people.c.shown_version))
        .where(*labelled(project))
        .order_by(people.c.updated_at)
    )
    found: dict[str, dict[int, tuple[Sequence[str], Sequence[str]]]] = defaultdict(dict)
    with read(engine) as connection:
        for source, task, labels, shown in connection.execute(query):
            if shown:
                found[source][task] = (labels, shown)
    return {source: check(list(rows.values())) for source, rows in found.items()}


def fill(engine: sa.Engine, project: int, version: str, source: str) -> None:
    """Say who decided the tasks that the version answered without a ruling, which the web process does."""
    same = sa.select(sa.literal(1)).where(*_of(project, version), rulings.c.task == predictions.c.task)
    query = sa.select(predictions.c.task).where(predictions.c.project == project, predictions.c.version == version)
    with read(engine) as connection:
        open_tasks = list(connection.scalars(query.where(~sa.exists(same))))
    row = {"project": project, "version": version, "source": source}
    with write(engine) as connection:  # a ruling that came meanwhile stays
        upsert(connection, rulings, [{**row, "task": task} for task in sorted(open_tasks)], keep=["source"])


def drop(engine: sa.Engine, project: int, version: str) -> None:
    """Forget a version's rulings."""
    with write(engine) as connection:
        delete(connection, rulings, *_of(project, version))


def _standing(project: int, version: str) -> tuple[sa.ColumnElement[bool], ...]:
    """Those of a version that are about the texts that there are: they were made with the predictions."""
    same = (predictions.c.project == project, predictions.c.version == version, predictions.c.task == rulings.c.task)
    return *_of(project, version), ~sa.exists().where(*same, outdated(predictions))


def _of(project: int, version: str) -> tuple[sa.ColumnElement[bool], ...]:
    return rulings.c.project == project, rulings.c.version == version
