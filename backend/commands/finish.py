"""`shortlist finish` and `shortlist audit`: a whole pool with a promise about its errors, and that promise checked."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import typer

from backend.commands.common import follow, open_project, show_json
from backend.errors import ProjectError, ShortlistError

Form: TypeAlias = Literal["annotations", "predictions"]


def finish(
    project: Annotated[int, typer.Argument(metavar="PROJECT", help="Number of the project in Label Studio.")],
    *,
    form: Annotated[
        Form, typer.Option("--as", help="annotations say that no person made them; predictions write nothing.")
    ] = "annotations",
    undo: Annotated[bool, typer.Option("--undo", help="Take back what a promise wrote; people's stay.")] = False,
    anew: Annotated[bool, typer.Option("--anew", help="Begin another promise, about all tasks of now.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print for programs.")] = False,
) -> None:
    """Give the tasks that a promise about errors covers the student's label, in Label Studio; never over a person's.

    Example: shortlist finish 7 --undo
    """
    from backend.projects.current import current_of
    from backend.projects.finishing import Wish, ask_to_finish, check_wish
    from backend.reporting.promise import promise_status

    services, known = open_project(project)
    current = current_of(services, known)
    wish: Wish = "undo" if undo else "anew" if anew else form
    if dry_run:
        check_wish(current, wish)
    else:
        if not services.queue.workers():
            typer.echo("No worker is running: the job waits until `shortlist worker` is started", err=True)
        ask_to_finish(current, wish)
        done = follow(services, "finish", project, quiet=as_json)
    status = promise_status(current_of(services, known)) or {}
    if as_json:
        show_json({"project": project, "promise": status, "done": "" if dry_run else done})
    else:
        typer.echo(f"{status['sentence']}." if dry_run else f"Project {project} ({known.title}): {done}")


def audit(
    project: Annotated[int, typer.Argument(metavar="PROJECT", help="Number of the project in Label Studio.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print for programs.")] = False,
) -> None:
    """Compute a certificate again from the stored tasks, ranks and decisions; exit code 1 if anything differs.

    Example: shortlist audit 7
    """
    from backend.projects.current import current_of
    from backend.projects.finishing import certain_promise
    from backend.reporting.certificate import changed_since, checks, roles

    services, known = open_project(project)
    current = current_of(services, known)
    certificate = certain_promise(current).certificate
    if certificate is None:
        raise ProjectError(f"project {project} has no certificate")
    found = checks(current, certificate)
    wrong = [name for name, said, again in found if said != again]
    changed = changed_since(current)
    if as_json:
        again = {name: value for name, _, value in found}
        show_json({"project": project, "certificate": certificate, "again": again, "differs": wrong,
                   "changed_since": changed, "roles": roles(current)})  # fmt: skip
    else:
        for name, said, value in found:
            typer.echo(
                f"{'same  ' if said == value else 'OTHER '} {name}: {value}{'' if said == value else f' ({said})'}"
            )
        typer.echo(f"{changed} audited decisions are others now than when the certificate was made")
    if wrong:
        raise ShortlistError(f"the certificate of project {project} does not follow from the pool: {', '.join(wrong)}")
