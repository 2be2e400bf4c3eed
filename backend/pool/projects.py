"""Projects as Label Studio describes them, and which version each of them serves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from backend.errors import PoolError
from backend.pool.database.bulk import upsert
from backend.pool.database.engine import now_ms, read, write
from backend.pool.database.schema import SCHEMA
from backend.pool.database.student_tables import versions
from backend.pool.database.tables import projects
from model.labels import LabelSpace

ONE = sa.select(projects).where(projects.c.project == sa.bindparam("number"))  # made once: every request needs it
OWNED = [table for table in SCHEMA.sorted_tables if "project" in table.c]  # everything of one project


@dataclass(frozen=True)
class Project:
    """One project. `space` is None while the label config is not supported; `problem` then says why."""

    project: int
    created: str
    title: str
    label_config: str
    space: LabelSpace | None
    problem: str
    options: dict[str, Any]
    served: str | None
    published: str | None
    synced: str
    changes: int
    trained_changes: int
    changed_ms: int
    created_ms: int
    instructions: str = ""
    paused: bool = False
    trained_sets: int = 0
    on_screen: str | None = None

    @property
    def space_hash(self) -> str:
        """Hash of the label space, "" without one."""
        return self.space.hash if self.space else ""


def get(engine: sa.Engine, project: int) -> Project | None:
    """The project, None if it is unknown."""
    with read(engine) as connection:
        row = connection.execute(ONE, {"number": project}).one_or_none()
    return None if row is None else _project(row._mapping)


def all_projects(engine: sa.Engine) -> list[Project]:
    """Every project, by id."""
    with read(engine) as connection:
        rows = connection.execute(sa.select(projects).order_by(projects.c.project)).all()
    return [_project(row._mapping) for row in rows]


def save_config(
    engine: sa.Engine,
    project: int,
    created: str,
    title: str,
    label_config: str,
    space: LabelSpace | None,
    problem: str,
    options: Mapping[str, Any],
) -> bool:
    """Remember what Label Studio says about a project; True if its label space is another one than before.

    Writes only what changed. If the project was created at another time than the stored one, Label Studio gave the id
    to a new project, and everything known under the id is removed first; an empty time is not compared.
    """
    new = {
        "title": title,
        "label_config": label_config,
        "space": space.to_json() if space else None,
        "space_hash": space.hash if space else "",
        "problem": problem,
        "options": dict(options),
    }
    known = get(engine, project)
    if known is not None and created in ("", known.created) and _content(known) == new:
        return False
    with write(engine) as connection:
        here = projects.c.project == project
        row = connection.execute(sa.select(projects).where(here).with_for_update()).one_or_none()
        if row is not None and created and row.created and created != row.created:
            _remove(connection, project)
            row = None
        if row is None:
            fresh = {"project": project, "created": created, "created_ms": now_ms(), **new}
            upsert(connection, projects, [fresh], keep=["created_ms"])
            return True
        changed = bool(row.space_hash != new["space_hash"])
        values = {**new, "created": created or row.created}
        if changed:  # annotations are read anew: with other labels they say something else
            values["synced"] = ""
        connection.execute(sa.update(projects).where(here).values(values))
        return changed


def promote(engine: sa.Engine, project: int, version: str) -> None:
    """Serve a version from now on: one atomic step, seen by every process with its next request.

    What was served before is retired. Raises PoolError if the version is not one of the project's.
    """
    here = versions.c.project == project
    with write(engine) as connection:
        connection.execute(sa.select(projects.c.project).where(projects.c.project == project).with_for_update())
        others = here & (versions.c.state == "promoted") & (versions.c.version != version)
        connection.execute(sa.update(versions).where(others).values(state="retired"))
        mine = sa.update(versions).where(here, versions.c.version == version)
        if connection.execute(mine.values(state="promoted", promoted_ms=now_ms())).rowcount != 1:
            raise PoolError(f"project {project} has no version {version!r}, so that it cannot be promoted")
        connection.execute(sa.update(projects).where(projects.c.project == project).values(served=version))


def set_instructions(engine: sa.Engine, project: int, instructions: str) -> None:
    """What Label Studio tells the project's annotators, as plain text."""
    _update(engine, project, instructions=instructions)


def set_paused(engine: sa.Engine, project: int, paused: bool) -> None:
    """Whether trainings and questions to the teacher wait until somebody resumes the project."""
    _update(engine, project, paused=paused)


def set_published(engine: sa.Engine, project: int, version: str | None) -> None:
    """The connection's title in Label Studio is this version now."""
    _update(engine, project, published=version)


def set_on_screen(engine: sa.Engine, project: int, version: str) -> None:
    """What Label Studio's project shows, as it said last; "" for nothing."""
    _update(engine, project, on_screen=version)


def set_synced(engine: sa.Engine, project: int, updated_at: str) -> None:
    """Everything at Label Studio up to this `updated_at` (ISO 8601 as Label Studio wrote it) is in the pool."""
    _update(engine, project, synced=updated_at)


def mark_trained(engine: sa.Engine, project: int, changes: int, asked: int = 0) -> None:
    """A training has taken in the first `changes` changed human labels (never goes back), and what the teacher said
    about the `asked` tasks that it had been shown."""
    larger = sa.case((projects.c.trained_changes > changes, projects.c.trained_changes), else_=changes)
    _update(engine, project, trained_changes=larger, trained_sets=asked)


def remove(engine: sa.Engine, project: int) -> None:
    """Forget a project and everything that is known about it."""
    with write(engine) as connection:
        _remove(connection, project)


def _remove(connection: sa.Connection, project: int) -> None:
    for table in OWNED:
        connection.execute(sa.delete(table).where(table.c.project == project))


def _update(engine: sa.Engine, project: int, **values: Any) -> None:
    with write(engine) as connection:
        connection.execute(sa.update(projects).where(projects.c.project == project).values(values))


def _content(known: Project) -> dict[str, Any]:
    """What `save_config` compares."""
    return {
        "title": known.title,
        "label_config": known.label_config,
        "space": known.space.to_json() if known.space else None,
        "space_hash": known.space_hash,
        "problem": known.problem,
        "options": known.options,
    }


def _project(row: sa.RowMapping) -> Project:
    names = [name for name in Project.__dataclass_fields__ if name != "space"]
    space = LabelSpace.from_json(row["space"]) if row["space"] is not None else None
    return Project(space=space, **{name: row[name] for name in names})
