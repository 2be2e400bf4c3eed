"""`shortlist check`: what of a label config would be served, before anything is connected."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from backend.commands.common import show_json
from backend.commands.connect import read_options
from backend.commands.instance import instance_settings
from backend.errors import ProjectError, at_command_line
from backend.settings import load_settings

if TYPE_CHECKING:
    from backend.settings import Settings


def check(
    config: Annotated[str, typer.Argument(metavar="CONFIG", help="A file, or a project's number in Label Studio.")],
    *,
    option: Annotated[list[str] | None, typer.Option("--option", "-o", help="A setting to try: NAME=VALUE.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print for programs.")] = False,
) -> None:
    """Say what of a label config would be answered, from which texts, and what is left alone. 0: anything is answered.

    Example: shortlist check config.xml --option CONTROL=topic
    """
    from backend.label_studio.verdict import verdict

    at_label_studio = config.isdecimal() and not Path(config).is_file()
    settings = instance_settings() if at_label_studio else load_settings()
    xml, known, former = _of_project(settings, int(config)) if at_label_studio else (_of_file(config), {}, False)
    options = settings.for_project({**known, **(read_options(option) or {})})
    found = verdict(xml, options, at_command_line, former)
    if as_json:
        show_json(found.to_json())
    else:
        typer.echo("\n".join([found.outcome, *(f"  {sentence}." for sentence in found.sentences)]))
    if found.outcome == "refused":
        raise typer.Exit(1)


def _of_file(config: str) -> str:
    try:
        return Path(config).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ProjectError(f"{config} is not UTF-8: {error}; save it so") from None
    except OSError as error:
        raise ProjectError(f"{config} cannot be read: {error.strerror or error}") from None


def _of_project(settings: Settings, number: int) -> tuple[str, dict[str, object], bool]:
    """The label config that Label Studio has, the options of the project's connection, and whether the project was
    connected by a former release."""
    from backend.label_studio.client import LabelStudio
    from backend.label_studio.fields import created_of
    from backend.pool.project_cache import find_project
    from backend.projects.connect import connection_options
    from backend.services import open_services

    with LabelStudio(settings.LABEL_STUDIO_URL, settings.LABEL_STUDIO_API_KEY.get_secret_value()) as label_studio:
        stated = label_studio.project(number)
        options = connection_options(label_studio, settings, number)
    services = open_services(settings)
    try:
        known = find_project(services.engine, number, created_of(stated))
    finally:
        services.engine.dispose()
    return str(stated.get("label_config") or ""), options, known is not None and known.former
