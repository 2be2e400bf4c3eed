"""What people see in Label Studio: its project shows the predictions of one version, which need not be ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from backend.label_studio.client import LabelStudio
from backend.pool import projects
from backend.projects.current import Current


def on_screen(stated: Mapping[str, Any]) -> str:
    """The version, or the title of a connection, that a project shows as Label Studio describes it; "" for none."""
    return str(stated.get("model_version") or "") if stated.get("show_collab_predictions", True) else ""


def remember_on_screen(current: Current, stated: Mapping[str, Any]) -> Current:
    """Write what the project shows to the pool if it is new; the project as it is then."""
    shows = on_screen(stated)
    told = "model_version" in stated and "show_collab_predictions" in stated  # events tell parts of a project only
    if not told or shows == current.project.on_screen:
        return current
    projects.set_on_screen(current.engine, current.number, shows)
    return replace(current, project=replace(current.project, on_screen=shows))


def is_ours(current: Current, served: str) -> bool | None:
    """Whether people see what we serve; None where Label Studio was not asked yet.

    Where the project shows the title of our connection, it shows what we serve, also between a promotion and the new
    title.
    """
    shows = current.project.on_screen
    return None if shows is None else shows != "" and shows in (served, current.project.published)


def instead(project: int, shows: str, served: str) -> str:
    """The sentence about a project that shows something else than what is `served`, and how to change that."""
    if shows:
        return (
            f"The project shows {shows}, not {served}; `shortlist connect {project} --show` switches, as does "
            "Settings, Annotation in Label Studio"
        )
    return (
        f"The project hides predictions, so that nobody sees {served}: switch on Settings, Annotation, Use predictions "
        f"to prelabel tasks in Label Studio, or run `shortlist connect {project} --show`"
    )


def follows(current: Current) -> str:
    """What people will see after another version than that of `current` was chosen to be served."""
    if is_ours(current, current.served_version) is False:
        row = current.project
        return f"yet people do not see it. {instead(row.label_studio_id, row.on_screen or '', 'it')}"
    return "Label Studio follows in a moment"


def show_ours(label_studio: LabelStudio, project: int, version: str) -> None:
    """Let the project show the predictions of `version`, whatever it shows now."""
    label_studio.update_project(project, model_version=version, show_collab_predictions=True)
