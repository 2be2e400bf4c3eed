"""The login of the embedded Label Studio: drawn at random once, kept in a file that only its owner may read."""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path

from backend.commands.start.data_dir import write_private
from backend.errors import StartError

DATABASE = "label_studio.sqlite3"
USER = "admin@shortlist.local"


@dataclass(frozen=True)
class Credentials:
    """User name, password and API token (40 hex digits, as Label Studio's legacy tokens are)."""

    user: str = USER
    password: str = field(repr=False, default="")
    token: str = field(repr=False, default="")


def load_or_draw(folder: Path) -> Credentials:
    """The credentials kept in `folder`, or new ones; StartError if they are lost but Label Studio's data are there."""
    path = folder / "credentials.json"
    if path.exists():
        try:
            return Credentials(**json.loads(path.read_text()))
        except (ValueError, TypeError) as error:
            raise StartError(f"{path} is damaged ({error}); restore it, or remove the folder to start anew") from None
    if (folder / DATABASE).exists():
        raise StartError(f"{path} is missing but Label Studio's data are there; restore it, or remove the folder")
    drawn = Credentials(USER, secrets.token_urlsafe(12), secrets.token_hex(20))
    write_private(path, json.dumps(asdict(drawn), indent=2))
    return drawn
