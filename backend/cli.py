"""The command line: one file per command in `backend/commands`, registered here."""

from __future__ import annotations

import os
import sys

import typer

from backend.commands import serve
from backend.errors import ShortlistError
from model.errors import ModelError

HELP = "Shortlist: a teacher proposes labels, people decide, a small model learns. One ML backend for Label Studio."

app = typer.Typer(name="shortlist", help=HELP, no_args_is_help=True, pretty_exceptions_enable=False)


@app.callback()
def shortlist() -> None:
    """What all commands share."""


app.command("serve")(serve.serve)


def main() -> None:
    """Run one command; an expected error becomes one line on stderr and exit code 1, never a traceback."""
    try:
        app()
    except (ShortlistError, ModelError) as error:
        complain(str(error))
        raise SystemExit(1) from None


def complain(message: str) -> None:
    """One line on stderr, whatever the message contains."""
    line = " ".join(message.split())
    sys.stderr.write(f"shortlist: {line}{os.linesep}")
