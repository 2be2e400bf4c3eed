"""`shortlist versions`: the students of a project."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from backend.commands.common import open_project, show_json


def versions(
    project: Annotated[int, typer.Argument(metavar="PROJECT", help="Number of the project in Label Studio.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print for programs.")] = False,
) -> None:
    """List the versions of a project, newest first, and which one is served.

    Example: shortlist versions 7
    """
    from backend.projects.current import current_of
    from backend.reporting.status import project_status

    services, known = open_project(project)
    status = project_status(current_of(services, known))
    rows: list[dict[str, Any]] = status["versions"]
    if as_json:
        show_json({"project": project, "served": status["version"], "versions": rows})
        return
    typer.echo(f"Project {project} ({known.title}) serves {status['version'] or 'nothing'}")
    for row in rows:
        typer.echo(_line(row, served=row["version"] == status["version"]))
    if not rows:
        typer.echo(f"No student was trained yet; `shortlist train {project}` trains one")


def _line(row: dict[str, Any], *, served: bool) -> str:
    accuracy = "accuracy not known" if row["accuracy"] is None else f"accuracy {row['accuracy']:.1%} against people"
    facts = [row["created"], row["state"], f"{row['human_labels']} human labels", accuracy, row["reason"]]
    return f"{'*' if served else ' '} {row['version']}  " + ", ".join(str(fact) for fact in facts if fact)
