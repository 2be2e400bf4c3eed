"""`shortlist start`: everything on one machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from backend.settings import load_settings

SampleOption = Annotated[
    str,
    typer.Option(
        envvar="SAMPLE",
        help="CSV, TSV, JSONL, JSON (also .gz) or Excel file (FILE.xlsx#SHEET: one of its sheets) for the project; "
        "default: shipped messages.",
    ),
]
LabelsOption = Annotated[
    str, typer.Option(envvar="LABELS", help="Labels, separated by commas, for a file without a label column.")
]
ByPeopleOption = Annotated[
    bool,
    typer.Option(
        "--labels-by-people",
        envvar="LABELS_BY_PEOPLE",
        help="The file's labels were given by people: import them as annotations, to learn from.",
    ),
]


def start(
    *,
    with_label_studio: Annotated[
        bool, typer.Option("--with-label-studio", help="Start a Label Studio of its own as well, with a project.")
    ] = False,
    sample: SampleOption = "",
    labels: LabelsOption = "",
    labels_by_people: ByPeopleOption = False,
    port: Annotated[int | None, typer.Option(help="Port of the backend; default: PORT, else 9090.")] = None,
    label_studio_port: Annotated[
        int, typer.Option(envvar="LABEL_STUDIO_PORT", min=1, max=65535, help="Port of Label Studio.")
    ] = 8080,
    data_dir: Annotated[
        Path | None, typer.Option(help="Folder of everything that is kept; default: DATA_DIR, else data.")
    ] = None,
    label_studio_venv: Annotated[
        Path, typer.Option(envvar="LABEL_STUDIO_VENV", help="Virtual environment in which Label Studio is installed.")
    ] = Path(".venv-label-studio"),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON lines; `ready` has the addresses.")] = False,
) -> None:
    """Start Redis, worker and web server (and Label Studio), and watch them until Ctrl-C.

    Example: shortlist start --with-label-studio --sample tickets.csv
    """
    from backend.commands.start.console import Console, JsonConsole
    from backend.commands.start.plan import Plan, read_plan_sample
    from backend.commands.start.stack import run

    given = {"PORT": port, "DATA_DIR": data_dir}
    settings = load_settings(**{name: value for name, value in given.items() if value is not None})
    plan = Plan(settings)
    if with_label_studio and sample != "0":
        plan = Plan(settings, label_studio_port, label_studio_venv, read_plan_sample(sample, labels, labels_by_people))
    run(plan, JsonConsole() if as_json else Console())
