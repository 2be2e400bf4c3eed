"""`shortlist disconnect`: take this backend out of a project, and forget the project."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from backend.commands.common import open_project, show_json
from backend.commands.connect import at_terminal
from backend.errors import LabelStudioError, SettingsError

if TYPE_CHECKING:
    from backend.pool.projects import Project
    from backend.services import Services


def disconnect(
    project: Annotated[int, typer.Argument(metavar="PROJECT", help="Number of the project in Label Studio.")],
    *,
    forget: Annotated[
        bool, typer.Option("--forget", help="Also remove all that is held here: texts, labels, figures, versions.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before forgetting.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print for programs.")] = False,
) -> None:
    """Remove connection and webhook from a project. Its labels and predictions stay in Label Studio.

    Without --forget everything stays here, too, and `shortlist connect` goes on with it. With it, you are told what
    goes before it does; what was spent always stays, and counts against the budget if the project comes again.

    Example: shortlist disconnect 7
    """
    from backend.pool.projects import holdings
    from backend.projects.disconnect import forget_project

    services, known = open_project(project)
    held = holdings(services.engine, project) if forget else {}
    if forget and not yes:
        goes = ", ".join(f"{number:,} {what}" for what, number in held.items())
        if as_json or not at_terminal():
            raise SettingsError(f"say --yes, too: {goes} would go and cannot be brought back but from a backup")
        typer.echo(f"Project {project} ({known.title}): {goes} go. They cannot be brought back but from a backup")
        typer.confirm("Forget them?", abort=True)
    removed, problem = _removed(services, known)
    if problem and not forget:
        raise problem
    versions = forget_project(services, project) if forget else None
    if as_json:
        problems = str(problem or "") or None
        show_json({"project": project, "removed": removed, "forgotten": forget, "held": held, "problem": problems})
        return
    if problem:
        typer.echo(f"In Label Studio connection and webhook must be removed by hand: {problem}", err=True)
    else:
        typer.echo(f"Project {project} ({known.title}): {removed} connections and webhooks removed")
    if forget:
        typer.echo(f"Only what was spent is held about it now; {versions} versions were removed")


def _removed(services: Services, project: Project) -> tuple[int, LabelStudioError | None]:
    """How many connections and webhooks were removed, or why Label Studio could not be asked."""
    from backend.label_studio.client import LabelStudio
    from backend.projects.disconnect import disconnect_project

    settings = services.settings
    key = settings.LABEL_STUDIO_API_KEY.get_secret_value()
    try:
        with LabelStudio(settings.LABEL_STUDIO_URL, key) as label_studio:
            return disconnect_project(label_studio, settings, project), None
    except LabelStudioError as error:
        return 0, error
