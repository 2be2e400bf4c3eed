"""Write the empty database that `shortlist start` lays out for a new Label Studio: what its own migrations make.

    .venv/bin/python scripts/label_studio_database.py      # takes about a minute

Run it after another release of Label Studio was locked and installed, and set RELEASE in
backend/commands/start/empty_database.py.
"""

from __future__ import annotations

import gzip
import os
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from backend.commands.start.credentials import DATABASE  # noqa: E402
from backend.commands.start.empty_database import DUMP, RELEASE  # noqa: E402
from backend.commands.start.label_studio import DEFAULT_VENV, ENVIRONMENT, find_program  # noqa: E402

PEOPLE = ("htx_user", "organization", "authtoken_token")


def main() -> int:
    """Migrate, check that nobody is in it, dump."""
    program = find_program(ROOT / DEFAULT_VENV)
    with tempfile.TemporaryDirectory(prefix="shortlist-") as folder:
        environment = {**os.environ, **ENVIRONMENT, "HOME": folder, "LABEL_STUDIO_BASE_DATA_DIR": folder}
        command = [str(program), "version", "--data-dir", folder]
        said = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
        if f"Label Studio version: {RELEASE} " not in said:
            raise SystemExit(f"installed is another release than {RELEASE}")
        connection = sqlite3.connect(Path(folder) / DATABASE)
        for table in PEOPLE:
            if connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone() != (0,):
                raise SystemExit(f"{table} is not empty")
        script = "\n".join(connection.iterdump())
        connection.close()
    DUMP.write_bytes(gzip.compress(script.encode(), mtime=0))
    sys.stdout.write(f"{DUMP} is written, {DUMP.stat().st_size} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
