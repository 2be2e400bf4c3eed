"""Serve a version that a person chose: an older student, or one that was not promoted. For command line and pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.errors import ProjectError, SettingsError
from backend.pool import projects, versions
from backend.projects.current import Current, current_of
from backend.queue.kinds import Outcome
from backend.services import Services

if TYPE_CHECKING:
    from backend.pool.projects import Project
    from backend.pool.versions import VersionRow


@dataclass(frozen=True)
class Chosen:
    """What is served now, what was served before, and what became of the job that tells Label Studio."""

    version: str
    before: str | None
    publish: Outcome


def serve_version(current: Current, version: str = "") -> Chosen:
    """Serve the named version, else the one before the present one, whose predictions are still in Label Studio.

    The next training may replace it. Raises ProjectError if there is no such version, QueueError if no job starts.
    """
    engine, number = current.engine, current.number
    rows = versions.list_versions(engine, number)
    chosen = choose(current.project, rows, version)
    for row in rows:
        if row.state == "publishing" and row.version != chosen:  # it would be promoted by the job that follows
            versions.set_state(engine, number, row.version, "retired", f"never served: {chosen} was chosen instead")
    projects.promote(engine, number, chosen)
    return Chosen(chosen, current.project.served, current.services.queue.enqueue("publish", number))


def choose(project: Project, rows: Sequence[VersionRow], version: str) -> str:
    """The version to serve: the named one, else the newest older one that was served before.

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


def pause(services: Services, project: int) -> None:
    """No training starts and no teacher is asked from now on; one that runs stops within seconds."""
    projects.set_paused(services.engine, project, True)


def resume(services: Services, project: int) -> None:
    """Go on, beginning with a comparison with Label Studio, which starts whatever is due.

    Raises ProjectError if the setting PAUSED holds the project, QueueError while Redis cannot be reached (the project
    is resumed all the same).
    """
    projects.set_paused(services.engine, project, False)
    row = projects.get(services.engine, project)
    try:
        held = row is not None and current_of(services, row).options.PAUSED
    except SettingsError:
        held = False
    if held:
        raise ProjectError(
            f"project {project} is paused by the setting PAUSED: take it out of the environment, or out of the extra "
            "parameters of the project's connection in Label Studio"
        )
    services.queue.enqueue("sync", project)
    services.queue.enqueue("annotate", project)
