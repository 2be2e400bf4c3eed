"""What `doctor` found: one line per check, and what to do where something is wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum

import sqlalchemy as sa

from backend.errors import ShortlistError
from model.errors import ModelError


class Health(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"  # works, but not as it should
    FAILURE = "failure"  # something does not work


@dataclass(frozen=True)
class Finding:
    """The result of one check: `what` was found, and `remedy`, what to do ("" when nothing)."""

    check: str
    health: Health
    what: str
    remedy: str = ""

    def to_json(self) -> dict[str, str]:
        """A plain object."""
        return {name: str(value) for name, value in asdict(self).items()}


def good(check: str, what: str) -> Finding:
    """Nothing to do."""
    return Finding(check, Health.OK, what)


def warning(check: str, what: str, remedy: str) -> Finding:
    """Works, but not as it should."""
    return Finding(check, Health.WARNING, what, remedy)


def failure(check: str, what: str, remedy: str) -> Finding:
    """Does not work."""
    return Finding(check, Health.FAILURE, what, remedy)


def examine(check: str, remedy: str, look: Callable[[], Finding]) -> Finding:
    """Run one check; an error becomes a failure with its own sentence and this remedy."""
    try:
        return look()
    except (ShortlistError, ModelError, OSError, sa.exc.SQLAlchemyError) as error:
        return failure(check, str(error) or type(error).__name__, remedy)
