"""What made each teacher version, so that another one can tell what it has in common with it."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from backend.pool.database.bulk import delete, insert, together
from backend.pool.database.engine import now_ms, read, write
from backend.pool.database.tables import candidate_sets
from backend.pool.database.tables import teachers as table


@dataclass(frozen=True, slots=True)
class TeacherRow:
    """`core` is the hash that the teacher would have without the project's instructions; `anew`: it asks everything.

    `teacher` and `strategy` are TEACHER and PROMPT as they were.
    """

    version: str
    core: str
    teacher: str
    strategy: str
    anew: bool


def remember(engine: sa.Engine, project: int, version: str, core: str, teacher: str, strategy: str) -> None:
    """Keep what made a version; writes only if it is new."""
    if version in of_project(engine, project):
        return
    row = {"project": project, "version": version, "core": core, "teacher": teacher, "strategy": strategy}
    with write(engine) as connection:
        statement = insert(connection, table).on_conflict_do_nothing()
        connection.execute(statement, {**row, "anew": False, "created_ms": now_ms()})


def of_project(engine: sa.Engine, project: int) -> dict[str, TeacherRow]:
    """All that are known, by version."""
    fields = [table.c[name] for name in TeacherRow.__dataclass_fields__]
    with read(engine) as connection:
        rows = connection.execute(sa.select(*fields).where(table.c.project == project))
        return {row.version: TeacherRow(*row) for row in rows}


def ask_anew(engine: sa.Engine, project: int, version: str) -> int:
    """Forget the answers that a version took over from another one, and have it take over none again; their number.

    Answers that were paid for once stay free: they are kept by question.
    """
    taken = (candidate_sets.c.project == project, candidate_sets.c.version == version)
    with write(engine) as connection:
        together(connection, project)
        connection.execute(
            sa.update(table).where(table.c.project == project, table.c.version == version).values(anew=True)
        )
        return delete(connection, candidate_sets, *taken, candidate_sets.c.input_tokens == 0)
