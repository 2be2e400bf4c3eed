"""`shortlist rollback`: serve an older student again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from backend.commands.common import open_project, show_json
from backend.errors import ProjectError

if TYPE_CHECKING:
    from backend.pool.projects import Project
    from backend.pool.versions import VersionRow


def rollback(
    project: Annotated[int, typer.Argument(help="Number of the project in Label Studio.")],
    version: Annotated[str, typer.Argument(help="The version to serve; default: the one before the present one.")] = "",
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print for programs.")] = False,
) -> None:
    """Serve an older version again; its predictions are still in Label Studio. The next training may replace it.

    Example: shortlist rollback 7 student-2-9f2c1a
    """
    from backend.pool import projects
    from backend.pool.versions import list_versions, set_state

    services, known = open_project(project)
    rows = list_versions(services.engine, project)
    chosen = choose(known, rows, version)
    for row in rows:
        if row.state == "publishing" and row.version != chosen:  # it would be promoted by the job that follows
            set_state(services.engine, project, row.version, "retired", f"never served: {chosen} was chosen instead")
    projects.promote(services.engine, project, chosen)
    outcome = services.queue.enqueue("publish", project)
    if as_json:
        show_json({"project": project, "before": known.served, "served": chosen, "publish": outcome})
    else:
        before = f" instead of {known.served}" if known.served else ""
        typer.echo(f"Project {project} ({known.title}) serves {chosen}{before}; Label Studio follows in a moment")


def choose(project: Project, rows: Sequence[VersionRow], version: str) -> str:
    """The version to go back to: the named one, else the newest older one that was served before.

    Raises ProjectError if there is none, or it was made for other labels than the project has now.
    """
    fitting = {row.version: row for row in rows if row.space_hash == project.space_hash and row.state != "removed"}
    if version:
        if version not in fitting:
            known = ", ".join(fitting) or "none"
            raise ProjectError(f"project {project.project} has no version {version!r} for its labels; it has {known}")
        return version
    served = fitting.get(project.served or "")
    older = [row for row in fitting.values() if row.promoted_ms and (served is None or row.number < served.number)]
    if not older:
        raise ProjectError(
            f"project {project.project} has no older version to go back to; SERVE=teacher shows the teacher's "
            "candidates again"
        )
    return max(older, key=lambda row: row.number).version
