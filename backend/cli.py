"""The command line: one file per command in `backend/commands`, registered here."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from backend.commands import (
    annotate,
    check,
    committee,
    connect,
    disconnect,
    doubts,
    estimate,
    export,
    finish,
    pause,
    report,
    rollback,
    sample,
    serve,
    template,
    train,
    versions,
    worker,
)
from backend.commands.backup import command as backup
from backend.commands.doctor import command as doctor
from backend.commands.start import command as start
from backend.commands.zsh_completion import mend_zsh
from backend.errors import LabelingConfigError, SettingsError, ShortlistError, at_command_line
from backend.logs import configure_logs
from backend.settings import load_settings
from model.errors import ModelError

HELP = "Shortlist: a teacher proposes labels, people decide, a small model learns. One ML backend for Label Studio."

app = typer.Typer(name="shortlist", help=HELP, no_args_is_help=True, pretty_exceptions_enable=False)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(version("shortlist"))
        raise typer.Exit


@app.callback()
def shortlist(
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Shortlist: a teacher proposes labels, people decide, a small model learns. One ML backend for Label Studio."""


app.command("start")(start.start)
app.command("serve")(serve.serve)
app.command("worker")(worker.worker)
app.command("connect")(connect.connect)
app.command("sample")(sample.sample)
app.command("disconnect")(disconnect.disconnect)
app.command("template")(template.template)
app.command("check")(check.check)
app.command("doctor")(doctor.doctor)
app.command("annotate")(annotate.annotate)
app.command("estimate")(estimate.estimate)
app.command("train")(train.train)
app.command("versions")(versions.versions)
app.command("rollback")(rollback.rollback)
app.command("report")(report.report)
app.command("export")(export.export)
app.command("doubts")(doubts.doubts)
app.command("finish")(finish.finish)
app.command("audit")(finish.audit)
app.command("pause")(pause.pause)
app.command("resume")(pause.resume)
app.command("backup")(backup.backup)
app.command("restore")(backup.restore)
app.add_typer(committee.app, name="committee")
mend_zsh()


def main() -> None:
    """Run one command; an expected error becomes one line on stderr and exit code 1, never a traceback."""
    _quiet_logs()
    try:
        app()
    except LabelingConfigError as error:
        complain(f"{error.reason}; {at_command_line(error.option)}" if error.option else error.reason)
        raise SystemExit(1) from None
    except (ShortlistError, ModelError) as error:
        complain(str(error))
        raise SystemExit(1) from None


def complain(message: str) -> None:
    """One line on stderr, whatever the message contains."""
    line = " ".join(message.split())
    sys.stderr.write(f"shortlist: {line}{os.linesep}")


def _quiet_logs() -> None:
    """People's commands print what they have to say; logs go to stderr, from warnings on unless LOG_LEVEL is set."""
    try:
        settings = load_settings()
    except SettingsError:
        return  # the command says it, unless it only prints its help
    if "LOG_LEVEL" not in settings.model_fields_set:
        settings = settings.model_copy(update={"LOG_LEVEL": "WARNING"})
    configure_logs(settings)
