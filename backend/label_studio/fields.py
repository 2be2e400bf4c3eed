"""Fields of Label Studio's objects: numbers, times."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

MAX_ID = 2**63 - 1


def identifier(value: object) -> int | None:
    """A positive id of Label Studio, or None."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 < value <= MAX_ID else None


def utc_text(value: object) -> str:
    """Label Studio's time in one form, UTC with microseconds, so that times compare as text; "" if it is none.

    Label Studio leaves the fraction out when it is zero.
    """
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        moment = None
    if moment is None:
        return ""
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    try:
        return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    except OverflowError:
        return ""


def created_of(stated: Mapping[str, Any]) -> str:
    """A project's creation time as `/setup` writes it: epoch seconds."""
    created = utc_text(stated.get("created_at"))
    return str(int(datetime.fromisoformat(created).timestamp())) if created else ""
