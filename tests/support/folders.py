"""Where tests write: in memory what is gone with them, on disk what is kept for the next run."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import psutil

MEMORY = Path("/dev/shm")  # on Linux
ROOM = 8 * 2**30  # the largest test takes 0.3 GB of it for a while


def write_in_memory(place: Path = MEMORY, room: int = ROOM) -> bool:
    """Temporary files of this process and of all that it starts lie in memory from now on, if programs can be run there
    and `room` bytes of it are free; whether they do. A TMPDIR that is set already stays.

    Tests make and remove ten thousands of files. Without a journal ext4 looks, for each new one, at all that were
    removed in the last minute: a new database of PostgreSQL took twenty times as long there.
    """
    if "TMPDIR" in os.environ or not place.is_dir():
        return False
    there = os.statvfs(place)
    if there.f_flag & os.ST_NOEXEC or min(there.f_bavail * there.f_frsize, psutil.virtual_memory().available) < room:
        return False
    os.environ["TMPDIR"] = tempfile.tempdir = str(place)
    return True


def kept() -> Path:
    """What was fetched or unpacked once per machine."""
    given = os.environ.get("SHORTLIST_TEST_CACHE")
    caches = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser()
    folder = Path(given) if given else caches / "shortlist-tests"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
