"""`shortlist backup` and `shortlist restore`: everything that must not be lost, in one file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from backend.commands.common import show_json
from backend.commands.instance import instance_settings
from backend.settings import Settings, load_settings

if TYPE_CHECKING:
    import sqlalchemy as sa

    from model.registry import Registry

AsJson = Annotated[bool, typer.Option("--json", help="Print for programs.")]


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write it, .tar.")], *, as_json: AsJson = False
) -> None:
    """Write pool and versions to one file, while everything goes on. Secrets are not in it.

    Example: shortlist backup shortlist-backup.tar
    """
    from backend.commands.backup.archive import dump
    from backend.services import require_pool

    settings = instance_settings()
    require_pool(settings)
    found = dump(*_open(settings), file)
    if as_json:
        show_json({"file": str(file), "rows": found.rows, "versions": found.versions, "missing": list(found.missing)})
        return
    for version in found.missing:
        typer.echo(f"Version {version} cannot be read and is not in the backup; the log says why", err=True)
    counts = f"{found.rows['tasks']} tasks, {found.rows['annotations']} annotations, {found.versions} versions"
    typer.echo(f"{file}: {counts}")


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file of `shortlist backup`.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Fill a new, empty pool from a backup; the database and the place of versions may be of another kind.

    Example: DATABASE_URL=postgresql://… MODEL_DIR=s3://… shortlist restore shortlist-backup.tar
    """
    from backend.commands.backup.archive import load

    engine, registry = _open(load_settings())
    found = load(engine, registry, file)
    place = engine.url.render_as_string(hide_password=True)
    if as_json:
        show_json({"file": str(file), "pool": place, "rows": found.rows, "versions": found.versions})
        return
    typer.echo(f"Restored {found.rows['tasks']} tasks and {found.versions} versions into {place}; start Shortlist now")


def _open(settings: Settings) -> tuple[sa.Engine, Registry]:
    """The pool and the place of versions that the settings name."""
    from backend.services import open_services

    services = open_services(settings)
    return services.engine, services.registry
