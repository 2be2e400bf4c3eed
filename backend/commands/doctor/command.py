"""`shortlist doctor`: check the whole chain and say what to do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from backend.commands.instance import instance_settings

if TYPE_CHECKING:
    from backend.commands.doctor.findings import Finding
    from backend.settings import Settings

MARKS = {"ok": "[green]ok[/]", "warning": "[yellow]warning[/]", "failure": "[red]failure[/]"}


def doctor(
    *,
    thorough: Annotated[
        bool, typer.Option("--thorough", help="Also load encoder and students, as jobs do: some 15 s more.")
    ] = False,
    ask: Annotated[
        bool, typer.Option("--ask", help="Also ask an LLM of TEACHER one question; this costs a fraction of a cent.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print for programs.")] = False,
) -> None:
    """Check Redis, workers, database, models, Label Studio and every connected project; exit code 1 on failures.

    Example: shortlist doctor
    """
    findings = _watched(examine_all(instance_settings(), thorough=thorough, ask=ask))
    if as_json:
        typer.echo(json.dumps([finding.to_json() for finding in findings], indent=1))
    else:
        _show(findings)
    if any(finding.health == "failure" for finding in findings):
        raise typer.Exit(1)


def _watched(checks: Iterator[Finding]) -> list[Finding]:
    """All findings; a terminal shows meanwhile what was looked at last."""
    from rich.console import Console
    from rich.markup import escape

    console = Console(stderr=True)
    if not console.is_terminal:
        return list(checks)
    found = []
    with console.status("Checking") as status:
        for finding in checks:
            found.append(finding)
            status.update(f"Checked: {escape(finding.check)}")
    return found


def examine_all(settings: Settings, *, thorough: bool = False, ask: bool = False) -> Iterator[Finding]:
    """All checks: the shared parts first, then every project of the pool. `ask`: a paid teacher, too, once."""
    from backend.commands.doctor.asking import asked
    from backend.commands.doctor.findings import warning
    from backend.commands.doctor.installation import examine_parts
    from backend.commands.doctor.project import examine_project
    from backend.errors import LabelStudioError, PoolError
    from backend.label_studio.client import LabelStudio
    from backend.pool import projects
    from backend.services import open_services, require_pool

    yield from examine_parts(settings, thorough=thorough)
    if ask:
        yield from asked(settings)
    key = settings.LABEL_STUDIO_API_KEY.get_secret_value()
    if not (key and settings.LABEL_STUDIO_URL):
        return
    try:
        require_pool(settings)
        services = open_services(settings)
    except PoolError:
        return  # already a finding
    try:
        with LabelStudio(settings.LABEL_STUDIO_URL, key, 30) as label_studio:
            label_studio.who_am_i()
            known = projects.all_projects(services.engine)
            if not known:
                yield warning("Projects", "none is connected", "Connect one: `shortlist connect <number>`")
            for project in known:
                yield from examine_project(services, label_studio, project, thorough=thorough)
    except LabelStudioError:
        return  # already a finding
    finally:
        services.engine.dispose()


def _show(findings: list[Finding]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console(highlight=False)
    table = Table(title="shortlist doctor", title_justify="left")
    for name in ("check", "", "found", "what to do"):
        table.add_column(name, overflow="fold")
    for finding in findings:
        table.add_row(escape(finding.check), MARKS[finding.health], escape(finding.what), escape(finding.remedy))
    console.print(table)
    failures = sum(finding.health == "failure" for finding in findings)
    console.print("Everything that was checked works" if not failures else f"{failures} checks failed")
