"""Which column of a sample file holds the texts, and which the labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.commands.start.sample.json_rows import ANNOTATIONS
from backend.errors import SampleError

TEXT = "text"
LABELS = (ANNOTATIONS, "label", "labels", "choices", "choice", "category", "class", "sentiment", "intent")
LOOKED_AT = 200  # rows that decide which columns are textual


@dataclass(frozen=True)
class Columns:
    """Names of the text column and of the label column (empty: there is none), and why the text column was chosen."""

    text: str
    label: str
    reason: str


def choose_columns(records: Sequence[dict[str, Any]], path: Path) -> Columns:
    """The column called `text`, else the only or first one that holds prose; SampleError if there is none.

    The label column goes by its name: `label`, or what tools call it; else it is one that holds Label Studio's choices.
    """
    names = list(dict.fromkeys(name for record in records[:LOOKED_AT] for name in record))
    label = next((found for wanted in LABELS if (found := _named(names, wanted))), "") or _chosen(records, names)
    text = _named(names, TEXT)
    if text:
        return Columns(text, label, "by its name")
    others = [name for name in names if name != label]
    textual = [name for name in others if _is_prose(_values(records, name))]
    textual = textual or [name for name in others if any(map(str.isalpha, "".join(_values(records, name))))]
    if not textual:
        found = ", ".join(map(repr, names[:10])) or "none"
        raise SampleError(f"{path} has no column with texts (columns: {found}); call the column {TEXT!r}")
    reason = "the only one with texts" if len(textual) == 1 else f"the first of {len(textual)} with texts"
    return Columns(textual[0], label, reason)


def _chosen(records: Sequence[dict[str, Any]], names: Sequence[str]) -> str:
    """The column in which some cell is `{"choices": …}` or `{"taxonomy": …}`, as text or as an object."""
    for name in names:
        cells = [record.get(name) for record in records[:LOOKED_AT]]
        heads = [str(cell)[:12].replace("'", '"') for cell in cells if isinstance(cell, str | dict)]
        if any(head.startswith(('{"choices"', '{"taxonomy"')) for head in heads):
            return name
    return ""


def _named(names: Sequence[str], wanted: str) -> str:
    exact = [name for name in names if name == wanted]
    near = [name for name in names if str(name).strip().lower() == wanted]
    return (exact or near or [""])[0]


def _values(records: Sequence[dict[str, Any]], name: str) -> list[str]:
    values = [record.get(name) for record in records[:LOOKED_AT]]
    return [value for value in values if isinstance(value, str) and value.strip()]


def _is_prose(values: Sequence[str]) -> bool:
    """Most values have several words."""
    return bool(values) and sum(len(value.split()) > 2 for value in values) * 2 > len(values)
