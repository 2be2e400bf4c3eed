"""What can be installed: a folder, the locks it is filled from, and the mark that says that it was."""

from __future__ import annotations

import hashlib
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

TORCH_MARK = ".torch-index"  # in an environment: what TORCH_INDEX named when torch was installed


@dataclass(frozen=True)
class Environment:
    """What can be asked for: a folder, the locks that are installed into it, its size in megabytes.

    `torch`: the lock of torch, which comes first and from an index of its own. `programs`: the lock of wheels that hold
    a program for any Python. `project`: the project itself goes in. `holds`: what else is there once this is.
    """

    name: str
    title: str
    folder: str
    locks: tuple[str, ...]
    megabytes: int
    torch: str = ""
    programs: str = ""
    project: bool = False
    holds: tuple[str, ...] = ()

    @property
    def all_locks(self) -> tuple[str, ...]:
        """Every file that decides what is installed."""
        return tuple(lock for lock in (*self.locks, self.torch, self.programs) if lock)


OF_SHORTLIST = {"torch": "requirements-torch.txt", "programs": "requirements-redis.txt", "project": True}
KNOWN = {
    one.name: one
    for one in (
        Environment(
            "runtime", "Shortlist", ".venv", ("requirements.txt", "requirements-build.txt"), 1700, **OF_SHORTLIST
        ),
        Environment(
            "development",
            "Shortlist with its tests",
            ".venv",
            ("requirements-dev.txt",),
            2500,
            holds=("runtime",),
            **OF_SHORTLIST,
        ),
        Environment("label-studio", "Label Studio", ".venv-label-studio", ("requirements-label-studio.txt",), 1200),
    )
}


def up_to_date(environment: Environment, root: Path) -> bool:
    """Whether it was filled from these locks, here, with this interpreter."""
    mark = stamp(environment, root)
    filled = mark.exists() and mark.read_text() == lock_hash(environment, root)
    return filled and (not environment.torch or torch_is_the_named_one(root / environment.folder))


def stamp(environment: Environment, root: Path) -> Path:
    """The file that says from what an environment was filled."""
    return root / environment.folder / f".installed-{environment.name}"


def lock_hash(environment: Environment, root: Path) -> str:
    """Changes when a lock, the interpreter or the place changes."""
    parts = [sys.version, str(root), *(line for lock in environment.all_locks for line in lines(root / lock))]
    if environment.project:
        parts.append((root / "pyproject.toml").read_text())
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def lines(lock: Path) -> list[str]:
    """The lines of a lock and of the locks that it includes."""
    found = []
    for line in lock.read_text().splitlines():
        found += lines(lock.parent / line[3:].strip()) if line.startswith("-r ") else [line.strip()]
    return found


def pins(environment: Environment, root: Path) -> dict[str, str]:
    """What is installed: the pin of each package, without marker and hashes."""
    every = [line for lock in environment.all_locks for line in lines(root / lock)]
    found = [match for line in every if (match := re.match(r"([A-Za-z0-9][A-Za-z0-9._-]*)==[^ ;\\]+", line))]
    return {match[1]: match[0] for match in found}


def torch_is_the_named_one(folder: Path) -> bool:
    """Whether torch came from the index that TORCH_INDEX names; where it names none, any torch will do."""
    named, mark = os.environ.get("TORCH_INDEX", ""), folder / TORCH_MARK
    return not named or (mark.exists() and mark.read_text() == named)
