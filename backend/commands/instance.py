"""Which Shortlist a command is about: the one that was named, that runs on this machine, or whose data are here."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer
from dotenv import dotenv_values

from backend.commands.start.data_dir import running_environment
from backend.commands.start.instances import running
from backend.errors import SettingsError
from backend.settings import Settings, load_settings

BESIDE = Path(__file__).resolve().parents[2] / "data"  # of `make run` in the checkout that this code is in
CHOSEN = ("DATA_DIR", "DATABASE_URL", "REDIS_URL")  # who sets one of these has said which


def instance_settings(**overrides: Any) -> Settings:
    """The settings of the instance that the command is about; what this shell sets comes first.

    Without DATA_DIR, DATABASE_URL or REDIS_URL: the data folder here, if it holds data or its instance runs; else the
    one instance that runs on this machine; else the data folder beside the code. If it is not the one here, a line on
    stderr names it. Raises SettingsError where there is none, and where several run.
    """
    settings = load_settings(**overrides)
    if not settings.model_fields_set & set(CHOSEN):
        here = settings.DATA_DIR.absolute()
        folder = _find(here)
        if folder != here:
            typer.echo(f"shortlist: this is about {folder}; DATA_DIR=<folder> chooses another", err=True)
            kept = dotenv_values(folder.parent / ".env") if folder == BESIDE else {}
            settings = _adopt({**kept, "DATA_DIR": str(folder)}, settings, overrides)
    return _adopt(running_environment(settings.DATA_DIR), settings, overrides)


def _adopt(found: Mapping[str, str | None], settings: Settings, overrides: dict[str, Any]) -> Settings:
    """Settings with those of the instance, where this shell sets nothing else. Through the environment, for programs
    that the command starts."""
    for name, value in found.items():
        if value is not None and name in Settings.model_fields and name not in settings.model_fields_set:
            os.environ[name] = value
    return load_settings(**overrides) if found else settings


def _find(here: Path) -> Path:
    """The data folder of the instance that is meant, when nothing says which."""
    alive = list(running())
    if here in alive or running_environment(here):
        return here
    if _holds_data(here):
        if alive:
            others = " and ".join(map(str, alive))
            typer.echo(f"shortlist: this is about {here}, which does not run; what runs is {others}", err=True)
        return here
    if len(alive) == 1:
        return alive[0]
    if alive:
        raise SettingsError(f"Shortlist runs on {' and on '.join(map(str, alive))}: say which with DATA_DIR=<folder>")
    if _holds_data(BESIDE):
        return BESIDE
    raise SettingsError(
        f"no Shortlist runs on this machine, and {here} holds no data of one: start it (`make run` or "
        "`shortlist start`), or say where it keeps its data (DATA_DIR, or DATABASE_URL and REDIS_URL)"
    )


def _holds_data(folder: Path) -> bool:
    return (folder / "pool.sqlite").exists()
