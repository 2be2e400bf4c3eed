"""`shortlist serve`: the web server alone."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from backend.settings import load_settings
from backend.web.server import web_command


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; default: HOST, else 127.0.0.1.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; default: PORT, else 9090.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Log as JSON lines, as LOG_FORMAT=json does.")] = False,
) -> None:
    """Answer Label Studio: the web server alone, for a host of its own.

    Example: shortlist serve --host 0.0.0.0 --port 9090
    """
    given = {"HOST": host, "PORT": port, "LOG_FORMAT": "json" if as_json else None}
    settings = load_settings(**{name: value for name, value in given.items() if value is not None})
    environment = {**os.environ, "HOST": settings.HOST, "PORT": str(settings.PORT), "LOG_FORMAT": settings.LOG_FORMAT}
    command = web_command(settings.HOST, settings.PORT, settings.LOG_LEVEL)
    os.execve(command[0], command, environment)
