"""How a project is answered: derived from its row and the settings once, and again only when the row says otherwise.

Every request of Label Studio needs it.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from backend.label_studio.control import Control
from backend.pool.projects import Project
from backend.project_options import ProjectOptions
from backend.projects.options import control_of, project_options
from backend.projects.prompt_template import prompt_template
from backend.projects.versions import served_version
from backend.services import Services

VOLATILE = {
    "title",
    "published",
    "synced",
    "changes",
    "trained_changes",
    "trained_sets",
    "changed_ms",
}  # they shape no answer
BASIS = [field.name for field in fields(Project) if field.name not in VOLATILE]
MOST = 1_000  # projects that are remembered


@dataclass(frozen=True, eq=False)
class Serving:
    """Options, control and version of one project. It is the same object as long as nothing that shapes an answer
    changed, so that it stands for all of that as the key of a cache."""

    basis: tuple[Any, ...]
    options: ProjectOptions
    control: Control
    version: str


def serving(services: Services, project: Project) -> Serving:
    """How the project is answered now.

    Raises LabelingConfigError if the label config is not supported, SettingsError if an option is malformed.
    """
    template = prompt_template(services.settings.PROMPT_FILE, project.project)  # the file may change at any time
    row, found = services.servings.get(project.project, (None, None))
    if found is not None and row is project and found.basis[-1] == template:
        return found
    basis = (*(getattr(project, name) for name in BASIS), template)
    if found is None or found.basis != basis:
        options, control = project_options(services.settings, project), control_of(services, project)
        found = Serving(basis, options, control, served_version(services, project))
    if len(services.servings) >= MOST:
        services.servings.clear()
    services.servings[project.project] = (project, found)
    return found
