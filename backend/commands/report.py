"""`shortlist report`: one HTML file about a project."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from backend.commands.common import open_project, show_json
from backend.errors import ShortlistError


def report(
    project: Annotated[int, typer.Argument(metavar="PROJECT", help="Number of the project in Label Studio.")],
    path: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="The file to write; default: report-<project>.html.")
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print for programs.")] = False,
) -> None:
    """Write one HTML file that opens offline: data, teacher, student, people, examples, cost, versions.

    Example: shortlist report 7 report.html
    """
    from backend.projects.current import current_of
    from backend.reporting.report import report_html

    services, known = open_project(project)
    path = path or Path(f"report-{project}.html")
    try:
        path.write_text(report_html(current_of(services, known)), encoding="utf-8")
    except OSError as error:
        raise ShortlistError(f"{path} cannot be written: {error.strerror or error}") from None
    if as_json:
        show_json({"project": project, "path": str(path)})
    else:
        typer.echo(f"{path} is written; open it in a browser or attach it to a message")
