"""`shortlist connect`: register this backend with a project of Label Studio."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import SecretStr

from backend.commands.instance import instance_settings
from backend.errors import ProjectError, SettingsError
from backend.project_options import ProjectOptions
from backend.settings import Settings

if TYPE_CHECKING:
    from backend.label_studio.client import LabelStudio
    from backend.projects.connect import Connected


def connect(
    number: Annotated[
        int | None, typer.Argument(metavar="PROJECT", help="Label Studio's number of the project.")
    ] = None,
    project: Annotated[int | None, typer.Option("--project", help="The same as an option.")] = None,
    url: Annotated[
        str | None, typer.Option(help="Where Label Studio reaches this backend; default: BACKEND_URL.")
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option("--option", "-o", help="A setting for this project: NAME=VALUE; NAME= takes it back."),
    ] = None,
    show: Annotated[
        bool, typer.Option("--show", help="Let the project show Shortlist's predictions, whatever it shows now.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print for programs.")] = False,
) -> None:
    """Connect a project: ML backend, webhook with login, title and options; then read its tasks and pre-annotate.

    Without a number, at a terminal, it asks for what is missing.

    Example: shortlist connect 7 --option RETRAIN_AFTER=50
    """
    from backend.label_studio.client import LabelStudio
    from backend.projects.connect import connect_project

    chosen = number if number is not None else project
    settings = instance_settings(**({"BACKEND_URL": url} if url else {}))
    if chosen is None and (as_json or not at_terminal()):
        raise SettingsError("say which project: `shortlist connect 7`, the number in the project's address")
    if chosen is None:
        settings = ask_address(settings)
    with LabelStudio(settings.LABEL_STUDIO_URL, settings.LABEL_STUDIO_API_KEY.get_secret_value()) as label_studio:
        if chosen is None:
            chosen = ask_project(label_studio)
        done = connect_project(label_studio, settings, chosen, read_options(option), show=show)
        if done.switch and not as_json and at_terminal() and ask_to_switch(done):
            done = connect_project(label_studio, settings, chosen, show=True)
    if as_json:
        typer.echo(json.dumps(done.to_json()))
    else:
        _tell(done)


def at_terminal() -> bool:
    """Whether a person can answer questions."""
    return sys.stdin.isatty()


def ask_address(settings: Settings) -> Settings:
    """Ask for Label Studio's address and key where they are not set."""
    found: dict[str, object] = {}
    if not settings.LABEL_STUDIO_URL:
        found["LABEL_STUDIO_URL"] = typer.prompt("Address of Label Studio", default="http://127.0.0.1:8080").rstrip("/")
    if not settings.LABEL_STUDIO_API_KEY.get_secret_value():
        typer.echo("The key is in Label Studio under Account & Settings, Access Token.")
        found["LABEL_STUDIO_API_KEY"] = SecretStr(typer.prompt("Key", hide_input=True))
    if found:
        typer.echo("Worker and web server need the same LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY: put them into .env")
    return settings.model_copy(update=found)


def ask_project(label_studio: LabelStudio) -> int:
    """Show the projects that the key may see and ask for one; ProjectError if there is none."""
    rows = label_studio.projects()
    if not rows:
        raise ProjectError("Label Studio has no project that this key may see: make one there, then connect it")
    for row in rows:
        typer.echo(f"{row['id']:>6}  {row.get('title') or 'without a title'} ({row.get('task_number') or 0} tasks)")
    first = int(rows[0]["id"]) if len(rows) == 1 else None
    return int(typer.prompt("Which project", default=first, type=int))


def ask_to_switch(done: Connected) -> bool:
    """Whether the project should show our predictions rather than what its owner chose."""
    typer.echo(f"The project shows {done.shows or 'no predictions'}.")
    return typer.confirm(f"Shall people see {done.version} instead?", default=False)


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
        options[name.strip()] = _value(name.strip(), value)
    return options


def _value(name: str, text: str) -> object:
    """JSON where it can be; an option that is a text stays one, such as CONTROL=1."""
    try:
        found = json.loads(text)
    except ValueError:
        return text
    field = ProjectOptions.model_fields.get(name)
    return text if field is not None and field.annotation is str and not isinstance(found, str) else found


def _tell(done: Connected) -> None:
    from rich.console import Console
    from rich.markup import escape

    console = Console(highlight=False)
    console.print(
        f"Project {done.project} [bold]{escape(done.title)}[/] is connected with {done.url}"
        + ("" if done.switch else f" and shows {done.version}"),
        soft_wrap=True,
    )
    for note in done.notes:
        console.print(f"  [yellow]![/] {escape(note)}", soft_wrap=True)
