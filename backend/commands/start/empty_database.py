"""Label Studio's empty database, as its own migrations make it: laying it out spares the first start a minute.

The file beside this one is written by scripts/label_studio_database.py from the locked release. Another release makes
its database itself, as ever. In write-ahead mode people can open tasks while predictions are being stored; with
SQLite's own mode one of some hundred such requests met "database is locked".
"""

from __future__ import annotations

import gzip
import os
import sqlite3
from pathlib import Path

from backend.commands.start.credentials import DATABASE

RELEASE = "1.23.2"
DUMP = Path(__file__).with_name(f"label-studio-{RELEASE}.sql.gz")


def lay_out(folder: Path, venv: Path) -> bool:
    """Whether `folder` now holds an empty database of the release in `venv`; what is there already is left alone."""
    database = folder / DATABASE
    if database.exists() or not _has_release(venv):
        return False
    growing = folder / f".{DATABASE}-{os.getpid()}"
    growing.unlink(missing_ok=True)
    connection = sqlite3.connect(growing)
    try:
        connection.executescript(gzip.decompress(DUMP.read_bytes()).decode())
        connection.execute("PRAGMA journal_mode=WAL")  # the file remembers it
    finally:
        connection.close()
    growing.chmod(0o600)
    growing.replace(database)
    return True


def _has_release(venv: Path) -> bool:
    return any(venv.glob(f"lib/python*/site-packages/label_studio-{RELEASE}.dist-info"))
