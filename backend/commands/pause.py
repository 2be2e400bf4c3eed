"""`shortlist pause` and `shortlist resume`."""

from __future__ import annotations

from typing import Annotated

import typer

from backend.commands.common import open_project, show_json

Number = Annotated[int, typer.Argument(metavar="PROJECT", help="Number of the project in Label Studio.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print for programs.")]


def pause(project: Number, *, as_json: AsJson = False) -> None:
    """Start no training and ask the teacher nothing until the project is resumed. What is known is still served.

    Example: shortlist pause 7
    """
    from backend.projects.actions import pause as stop

    services, known = open_project(project)
    stop(services, project)
    if as_json:
        show_json({"project": project, "paused": True})
    else:
        typer.echo(f"Project {project} ({known.title}) is paused; `shortlist resume {project}` goes on")


def resume(project: Number, *, as_json: AsJson = False) -> None:
    """Go on after a pause: whatever became due meanwhile starts at once.

    Example: shortlist resume 7
    """
    from backend.projects.actions import resume as go_on

    services, known = open_project(project)
    go_on(services, project)
    if as_json:
        show_json({"project": project, "paused": False})
    else:
        typer.echo(f"Project {project} ({known.title}) goes on")
