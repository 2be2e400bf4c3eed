"""`shortlist doubts`: decisions of people that are worth a second look."""

from __future__ import annotations

from typing import Annotated

import typer

from backend.commands.common import open_project, show_json
from backend.errors import ProjectError


def doubts(
    project: Annotated[int, typer.Argument(metavar="PROJECT", help="Number of the project in Label Studio.")],
    *,
    right: Annotated[
        list[int] | None, typer.Option("--right", metavar="TASK", help="This task's decision is right; repeatable.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print for programs.")] = False,
) -> None:
    """List decisions of people that others doubt, equal texts decided differently first; none is changed by itself.

    Example: shortlist doubts 7
    """
    from backend.label_studio.links import task_link
    from backend.pool.doubts import confirm
    from backend.projects.current import current_of
    from backend.projects.whereabouts import address
    from backend.reporting.second_look import looks, second_look

    services, known = open_project(project)
    for task in right or []:
        if not confirm(services.engine, project, task):
            raise ProjectError(f"no decision about task {task} of project {project} waits for a second look")
    current = current_of(services, known)
    found = second_look(current)
    if as_json:
        show_json({"project": project, **found})
        return
    typer.echo(f"Project {project} ({known.title}): {found['sentence'] or 'no decision is worth a second look yet'}")
    for one in looks(current, len(found["decisions"])):
        link = task_link(address(services.settings, known), known.label_studio_id, one.task)
        text = " ".join(one.text.split())
        typer.echo(f"  {one.task}  {', '.join(one.labels)} -> {', '.join(one.said)}?  {one.why}")
        typer.echo(f"      {text[:100]}{'…' if len(text) > 100 else ''}  {link}".rstrip())
