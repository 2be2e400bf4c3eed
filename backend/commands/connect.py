"""`shortlist connect`: register this backend with a project of Label Studio."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from backend.connecting import Connected, connect_project
from backend.errors import SettingsError
from backend.label_studio import LabelStudio
from backend.settings import ProjectOptions, load_settings


def connect(
    number: Annotated[
        int | None, typer.Argument(metavar="PROJECT", help="Label Studio's number of the project.")
    ] = None,
    project: Annotated[int | None, typer.Option("--project", help="The same as an option.")] = None,
    url: Annotated[
        str | None, typer.Option(help="Where Label Studio reaches this backend; default: BACKEND_URL.")
    ] = None,
    option: Annotated[
        list[str] | None, typer.Option("--option", "-o", help="Override a setting for this project: NAME=VALUE.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print for programs.")] = False,
) -> None:
    """Connect a project: ML backend, webhook with login, title and options; then read its tasks and pre-annotate.

    Example: shortlist connect 7 --option RETRAIN_AFTER=50
    """
    chosen = number if number is not None else project
    if chosen is None:
        raise SettingsError("say which project: `shortlist connect 7`, the number in the project's address")
    settings = load_settings(**({"BACKEND_URL": url} if url else {}))
    with LabelStudio(settings.LABEL_STUDIO_URL, settings.LABEL_STUDIO_API_KEY.get_secret_value()) as label_studio:
        done = connect_project(label_studio, settings, chosen, read_options(option))
    if as_json:
        typer.echo(json.dumps(done.to_json()))
    else:
        _tell(done)


def read_options(given: list[str] | None) -> dict[str, object] | None:
    """`NAME=VALUE` pairs as an object; None if there are none. Values are JSON where they can be."""
    if not given:
        return None
    options: dict[str, object] = {}
    for pair in given:
        name, equals, value = pair.partition("=")
        if not equals:
            raise SettingsError(
                f"--option {pair} must be NAME=VALUE; names are {', '.join(ProjectOptions.model_fields)}"
            )
        try:
            options[name.strip()] = json.loads(value)
        except ValueError:
            options[name.strip()] = value
    return options


def _tell(done: Connected) -> None:
    console = Console(highlight=False)
    console.print(
        f"Project {done.project} [bold]{escape(done.title)}[/] is connected with {done.url} and shows {done.version}"
    )
    for note in done.notes:
        console.print(f"  [yellow]![/] {escape(note)}")
