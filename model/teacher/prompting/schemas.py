"""The parts of JSON schemas of answers."""

from __future__ import annotations

from typing import Any

from model.teacher.providers.provider import LIMIT


def label_list(items: dict[str, Any], most: int) -> dict[str, Any]:
    """A list of at most so many items."""
    return {"type": "array", "items": items, LIMIT: most}


def object_of(properties: dict[str, Any]) -> dict[str, Any]:
    """An object with all of these properties and no other."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
