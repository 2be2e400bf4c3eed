"""What Label Studio tells a project's annotators: the LLM reads it, too."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from backend.label_studio.plain_text import storable, strip_tags
from backend.label_studio.templates import without_explanations

LONGEST = 8_000  # characters
SOURCE = re.compile(r"Made from [^\n]+ \[[0-9a-f]+-[0-9a-f]+\]")


def source_note(file: str, key: str) -> str:
    """The description of a project that was made from a file, by which the next start finds it: no instruction."""
    return f"Made from {file} [{key}]"


def instructions_of(stated: Mapping[str, Any]) -> str:
    """Description and labelling instructions of a project as Label Studio's API states it, as plain text."""
    parts = (strip_tags(str(stated.get(field) or "")).strip() for field in ("description", "expert_instruction"))
    told = without_explanations(SOURCE.sub("", "\n\n".join(part for part in parts if part)))
    return storable(told)[:LONGEST]
