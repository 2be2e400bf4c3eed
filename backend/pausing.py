"""Pause a project and let it go on: for the command line and for pages."""

from __future__ import annotations

from backend.errors import ProjectError, SettingsError
from backend.pool import projects
from backend.services import Services, project_options


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
        held = row is not None and project_options(services.settings, row).PAUSED
    except SettingsError:
        held = False
    if held:
        raise ProjectError(
            f"project {project} is paused by the setting PAUSED: take it out of the environment, or out of the extra "
            "parameters of the project's connection in Label Studio"
        )
    services.queue.enqueue("sync", project)
    services.queue.enqueue("annotate", project)
