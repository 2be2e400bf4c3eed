"""`shortlist rollback`: serve an older student again."""

from __future__ import annotations

from typing import Annotated

import typer

from backend.commands.common import open_project, show_json


def rollback(
    project: Annotated[int, typer.Argument(metavar="PROJECT", help="Number of the project in Label Studio.")],
    version: Annotated[
        str, typer.Argument(metavar="VERSION", help="The version to serve; default: the one before the present one.")
    ] = "",
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print for programs.")] = False,
) -> None:
    """Serve an older version again; its predictions are still in Label Studio. The next training may replace it.

    Example: shortlist rollback 7 student-2-9f2c1a
    """
    from backend.projects.actions import serve_version
    from backend.projects.current import current_of
    from backend.projects.on_screen import follows

    services, known = open_project(project)
    current = current_of(services, known)
    done = serve_version(current, version)
    if as_json:
        show_json({"project": project, "before": done.before, "served": done.version, "publish": done.publish})
    else:
        before = f" instead of {done.before}" if done.before else ""
        typer.echo(f"Project {project} ({known.title}) serves {done.version}{before}; {follows(current)}")
        typer.echo(f"The next training may replace it; `shortlist pause {project}` keeps it")
