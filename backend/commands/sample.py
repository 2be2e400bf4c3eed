"""`shortlist sample`: a project to begin with, in a Label Studio that runs already."""

from __future__ import annotations

import os
import threading
from typing import Annotated

import typer

from backend.commands.instance import instance_settings


def sample(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE", help="CSV, TSV, JSONL or JSON file (also .gz) with texts; default: shipped messages."
        ),
    ] = "",
    *,
    labels: Annotated[str, typer.Option(help="Labels, separated by commas, for a file without a label column.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON lines; `ready` has the project.")] = False,
) -> None:
    """Make a project of a file in Label Studio, connect it, and wait until its texts have shortlists.

    What was imported before is not imported again. Web server and a worker must run.

    Example: shortlist sample tickets.csv
    """
    from backend.commands.start.console import Console, JsonConsole
    from backend.commands.start.first_project import bring_in_sample
    from backend.commands.start.plan import read_plan_sample
    from backend.commands.start.welcome import next_steps
    from backend.projects.connect import connect_project

    settings, console = instance_settings(), JsonConsole() if as_json else Console()
    wanted, folder = read_plan_sample(file, labels), settings.DATA_DIR / "samples"
    folder.mkdir(parents=True, exist_ok=True)
    imported = bring_in_sample(
        wanted, settings, folder, console, threading.Event(), connect=connect_project, web=settings.backend_url
    )
    user, password = os.environ.get("LABEL_STUDIO_USERNAME", ""), os.environ.get("LABEL_STUDIO_PASSWORD", "")
    address = settings.label_studio_link + (f"/projects/{imported.project}/data" if imported else "")
    login = [f"  login       {user}   password {password}"] if user else []
    facts = {"label_studio": address, "project": imported.project if imported else None}
    console.announce(["", f"Label Studio  {address}", *login, "", *next_steps(settings, imported)], facts)
