"""Whether a project is at the Label Studio that is asked. Another one's project may have the same number there."""

from __future__ import annotations

from typing import Any

from backend.errors import OtherLabelStudio
from backend.label_studio.client import LabelStudio
from backend.label_studio.fields import created_of
from backend.pool.projects import Project
from backend.settings import Settings


def stated_project(label_studio: LabelStudio, project: Project) -> dict[str, Any]:
    """The project as this Label Studio has it: before anything is read from it, written to it or taken away there.

    OtherLabelStudio if it has another project under that number, which was made at another time.
    """
    stated = label_studio.project(project.label_studio_id)
    created = created_of(stated)
    if created and project.created and created != project.created:
        place = project.instance or "another Label Studio"
        raise OtherLabelStudio(
            f"project {project.project} ({project.title}) is of {place}: at {label_studio.url} the number "
            f"{project.label_studio_id} belongs to {str(stated.get('title') or 'another project')!r}. Set "
            "LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY to the Label Studio that is meant"
        )
    return stated


def address(settings: Settings, project: Project) -> str:
    """Where a browser finds the project's Label Studio; "" where that is not known."""
    return project.instance if project.elsewhere else settings.label_studio_link
