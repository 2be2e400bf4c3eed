"""Projects as Label Studio describes them, and which version each of them serves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from backend.errors import PoolError
from backend.pool import identity
from backend.pool.database.bulk import delete, insert, together
from backend.pool.database.engine import now_ms, read, write
from backend.pool.database.schema import SCHEMA
from backend.pool.database.student_tables import predictions, versions
from backend.pool.database.tables import annotations as people
from backend.pool.database.tables import candidate_sets, projects, tasks
from backend.pool.database.tallies import tallies
from backend.pool.database.work_tables import ledger, reservations
from model.labels import LabelSpace

LIVE = ~projects.c.forgotten
KEPT = (projects, ledger, reservations, tallies)  # of a forgotten project: money, and what counts by itself
GOES = [table for table in SCHEMA.sorted_tables if "project" in table.c and table not in KEPT]
TOLD = {
    "texts": tasks,
    "labels of people": people,
    "answers of the teacher": candidate_sets,
    "answers of students": predictions,
    "versions": versions,
}
BLANK: dict[str, Any] = {
    **{"title": "", "label_config": "", "space": sa.null(), "space_hash": "", "problem": "", "options": {}},
    **{"served": None, "published": None, "synced": "", "changes": 0, "trained_changes": 0, "changed_ms": 0},
    **{"instructions": "", "trained_sets": 0, "paused": False, "elsewhere": False, "forgotten": True},
    **{"questions": "", "blind_to": 0.0, "former": False, "grouped": "", "ticks": ""},
}


@dataclass(frozen=True)
class Project:
    """One project. `space` is None while the label config is not supported; `problem` then says why.

    `project` is its number here, `label_studio_id` the one at its Label Studio (see pool/identity.py), which states the
    address `instance`. `elsewhere`: that is not the Label Studio at LABEL_STUDIO_URL. `questions` are answered where no
    option says which: the one that an older release answered, until the label config changes; "" for all. `former`: an
    older release connected it, and its label config goes on meaning what it meant then. `grouped`: the field of the
    tasks' data by which they share queries, as it was read last. `ticks`: how many labels TICKS=auto ticks ("one",
    "none"); "" for as many as the options say.
    """

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
    label_studio_id: int = 0
    instance: str = ""
    elsewhere: bool = False
    questions: str = ""
    blind_to: float = 0.0
    former: bool = False
    grouped: str = ""
    ticks: str = ""

    @property
    def space_hash(self) -> str:
        """Hash of the label space, "" without one."""
        return self.space.hash if self.space else ""


def get(engine: sa.Engine, project: int) -> Project | None:
    """The project with this number here, None if it is unknown."""
    with read(engine) as connection:
        row = connection.execute(sa.select(projects).where(projects.c.project == project, LIVE)).one_or_none()
    return None if row is None else _project(row._mapping)


def find(engine: sa.Engine, label_studio_id: int, created: str = "") -> Project | None:
    """The project with this number at its Label Studio, made there at `created` (epoch seconds; "": not known).

    None if it is unknown; ProjectError if there are several and `created` does not tell which.
    """
    with read(engine) as connection:
        row = identity.meant(connection, label_studio_id, created)
    return None if row is None else _project(row)


def namesakes(engine: sa.Engine, project: Project) -> list[Project]:
    """Other projects with the same number at another Label Studio."""
    same = projects.c.label_studio_id == project.label_studio_id
    query = sa.select(projects).where(same, LIVE, projects.c.project != project.project).order_by(projects.c.project)
    with read(engine) as connection:
        return [_project(row._mapping) for row in connection.execute(query)]


def all_projects(engine: sa.Engine) -> list[Project]:
    """Every project, by number."""
    with read(engine) as connection:
        rows = connection.execute(sa.select(projects).where(LIVE).order_by(projects.c.project)).all()
    return [_project(row._mapping) for row in rows]


def save_config(
    engine: sa.Engine,
    label_studio_id: int,
    created: str,
    title: str,
    label_config: str,
    space: LabelSpace | None,
    problem: str,
    options: Mapping[str, Any],
    instance: str = "",
) -> bool:
    """Remember what Label Studio says about a project; True if its label space is another one than before.

    Writes only what changed. One that was made at another time than those known with its number is a project of its
    own, with another number here: nothing of theirs is touched. ProjectError if it cannot be told which is meant.
    """
    new = {
        "title": title,
        "label_config": label_config,
        "space": space.to_json() if space else None,
        "space_hash": space.hash if space else "",
        "problem": problem,
        "options": dict(options),
    }
    known = find(engine, label_studio_id, created)
    told = known is not None and created in ("", known.created) and instance in ("", known.instance)
    if known is not None and told and _content(known) == new:
        return False
    while True:
        with write(engine) as connection:
            row = identity.claim(connection, label_studio_id, created)
            if row is not None:
                changed = bool(row["forgotten"] or row["space_hash"] != new["space_hash"])
                values = {**new, "created": created or row["created"], "instance": instance or row["instance"]}
                values |= {} if row["label_config"] == label_config else {"questions": ""}
                if changed:  # annotations are read anew: with other labels they say something else
                    values["synced"] = ""
                here = projects.c.project == row["project"]
                connection.execute(sa.update(projects).where(here).values(forgotten=False, **values))
                return changed
            fresh = identity.newcomer(connection, label_studio_id)
            fresh |= {"created": created, "created_ms": now_ms(), "instance": instance, **new}
            added = insert(connection, projects).on_conflict_do_nothing()
            if connection.execute(added.returning(projects.c.project), fresh).one_or_none() is not None:
                return True  # else another process was faster: look again


def promote(engine: sa.Engine, project: int, version: str) -> None:
    """Serve a version from now on: one atomic step, seen by every process with its next request.

    What was served before is retired. Raises PoolError if the version is not one of the project's.
    """
    here = versions.c.project == project
    with write(engine) as connection:
        together(connection, project)
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


def set_ticks(engine: sa.Engine, project: int, ticks: str) -> None:
    """How many labels are ticked where the options leave it to people's times and answers: "one", "none", or ""."""
    _update(engine, project, ticks=ticks)


def set_grouped(engine: sa.Engine, project: int, field: str) -> None:
    """What this field says of every task is in the pool; "" if none was read."""
    _update(engine, project, grouped=field)


def set_synced(engine: sa.Engine, project: int, updated_at: str) -> None:
    """Everything at Label Studio up to this `updated_at` (ISO 8601 as Label Studio wrote it) is in the pool."""
    _update(engine, project, synced=updated_at)


def mark_trained(engine: sa.Engine, project: int, changes: int, asked: int = 0) -> None:
    """A training has taken in the first `changes` changed human labels (never goes back), and what the teacher said
    about the `asked` tasks that it had been shown."""
    larger = sa.case((projects.c.trained_changes > changes, projects.c.trained_changes), else_=changes)
    _update(engine, project, trained_changes=larger, trained_sets=asked)


def set_elsewhere(engine: sa.Engine, project: int, elsewhere: bool) -> None:
    """Whether LABEL_STUDIO_URL leads to another Label Studio than the project's."""
    _update(engine, project, elsewhere=elsewhere)


def holdings(engine: sa.Engine, project: int) -> dict[str, int]:
    """What `remove` would take away, in words for people, and how much of it there is."""
    counts = {what: sa.select(sa.func.count()).where(table.c.project == project) for what, table in TOLD.items()}
    with read(engine) as connection:
        return {what: int(connection.execute(query).scalar_one()) for what, query in counts.items()}


def remove(engine: sa.Engine, project: int) -> None:
    """Forget a project and everything that is known about it, but for its money and the number of its last version.

    For `shortlist disconnect --forget` alone. What is set aside for a batch under way counts as spent: nobody will
    fetch its answers.
    """
    largest = sa.select(sa.func.coalesce(sa.func.max(versions.c.number), 0)).where(versions.c.project == project)
    with write(engine) as connection:
        together(connection, project)
        made = int(connection.execute(largest).scalar_one())
        more = sa.case((projects.c.versions_made > made, projects.c.versions_made), else_=made)
        connection.execute(sa.update(projects).where(projects.c.project == project).values(versions_made=more, **BLANK))
        for table in GOES:
            delete(connection, table, table.c.project == project)
        batches = (reservations.c.project == project, reservations.c.until_ms.is_(None))
        connection.execute(sa.update(reservations).where(*batches).values(until_ms=0))


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
